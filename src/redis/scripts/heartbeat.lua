-- Renews the leases of running attempts, sent in the same breath as BullMQ's lock renewal.
-- ARGV: lease ms, then run, index, token per attempt. Returns per attempt: 'ok' | 'cancel' | 'lost'.
local ttl = tonumber(ARGV[1])
local reply = {}
for at = 2, #ARGV, 3 do
  local run, i = ARGV[at], ARGV[at + 1]
  local t = load_task(run, i)
  if t.s ~= 'running' or t.k ~= ARGV[at + 2] then
    reply[#reply + 1] = 'lost'
  else
    call('ZADD', LEASES_KEY, NOW + ttl, run .. '|' .. i)
    reply[#reply + 1] = status_of(run)[STATE] == 'cancelled' and 'cancel' or 'ok'
  end
end
return reply
