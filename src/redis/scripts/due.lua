-- Ended runs that the keep rules give up, oldest first; reads only, and only as much as it answers.
-- ARGV: how many at most, the most to keep in all ('' = any number), then for each state: state, ms to keep ('' = for ever)
-- Returns {run, ended at, run, ended at, …}
local most, keep = tonumber(ARGV[1]), tonumber(ARGV[2])
local heads, total, old = {}, 0, 0
for at = 3, #ARGV, 2 do
  local key, age = B .. ':past:' .. ARGV[at], tonumber(ARGV[at + 1])
  total = total + call('ZCARD', key)
  if age then old = old + call('ZCOUNT', key, '-inf', NOW - age) end
  local page = call('ZRANGE', key, 0, most - 1, 'WITHSCORES')
  for from = 1, #page, 2 do
    local ended = tonumber(page[from + 1])
    heads[#heads + 1] = { run = page[from], at = page[from + 1], ended = ended, old = age ~= nil and ended <= NOW - age }
  end
end
table.sort(heads, function(a, b)
  if a.ended ~= b.ended then return a.ended < b.ended end
  return a.run < b.run
end)
-- What is too old goes first; if too many are left then, the oldest of these, whatever their state.
local over = keep and total - old - keep or 0
local reply = {}
for _, is_old in ipairs({ true, false }) do
  for _, head in ipairs(heads) do
    local goes = head.old == is_old and (is_old or over > 0)
    if goes and #reply < most * 2 then
      if not is_old then over = over - 1 end
      reply[#reply + 1] = head.run
      reply[#reply + 1] = head.at
    end
  end
end
return reply
