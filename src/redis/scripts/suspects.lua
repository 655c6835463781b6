-- What one look found wrong, kept for a second one: only what is wrong both times is repaired. Shared by the fleet.
-- ARGV: 'note', then suspects: noted with the time, once | 'take', ms that it must have been noted for: hands out at most
-- a hundred, each once
-- Returns the suspects that were taken
local key = B .. ':suspects'
if ARGV[1] == 'take' then
  local due = call('ZRANGEBYSCORE', key, '-inf', NOW - tonumber(ARGV[2]), 'LIMIT', 0, 100)
  if #due > 0 then call('ZREM', key, unpack(due)) end
  return due
end
for at = 2, #ARGV do
  if call('ZCARD', key) < 1000 then call('ZADD', key, 'NX', NOW, ARGV[at]) end
end
return {}
