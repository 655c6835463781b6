-- What is in use of every shared limit must be the sum of the leases that live. Both are read in this one call, so that it is
-- exact; repaired where it differs, and what becomes free by that is handed on.
-- ARGV: most leases to add up; with more of them nothing is looked at.
-- Returns {status (done | many), number of grant words, grants…, then per repair: limit, was, is}
local leases = call('ZCARD', LEASES_KEY)
if leases > tonumber(ARGV[1]) then return { 'many', 0 } end
local sums, of_run = {}, {}
for _, member in ipairs(call('ZRANGE', LEASES_KEY, 0, -1)) do
  local run, i = match(member, '^(.*)|(%d+)$')
  if run then
    of_run[run] = of_run[run] or {}
    table.insert(of_run[run], i)
  end
end
for run, indexes in pairs(of_run) do
  for from = 1, #indexes, 500 do
    local part = { unpack(indexes, from, math.min(from + 499, #indexes)) }
    for _, node in ipairs(hmget(run_hash(run), unpack(part))) do
      local limits = limits_in(node)
      for at = 1, #limits, 3 do
        if not limits[at + 2] then sums[limits[at]] = (sums[limits[at]] or 0) + limits[at + 1] end
      end
    end
  end
end
local used, seen = call('HGETALL', key_of[USED]), {}
for at = 1, #used, 2 do
  seen[used[at]] = used[at + 1]
  if not sums[used[at]] then sums[used[at]] = 0 end
end
local freed, grants, repairs = {}, {}, {}
for key, sum in pairs(sums) do
  local was = tonumber(seen[key] or '0') or -1
  if was ~= sum then
    if sum == 0 then hdel(USED, key) else hset(USED, key, sum) end
    if was > sum then freed[key] = true end
    event('', 'repaired', 'what', 'limit', 'name', limit_name(key), 'was', was, 'count', sum)
    for _, word in ipairs({ limit_name(key), was, sum }) do repairs[#repairs + 1] = word end
  end
end
grant_waiters(freed, grants)
local reply = { 'done', #grants }
for _, word in ipairs(grants) do reply[#reply + 1] = word end
for _, word in ipairs(repairs) do reply[#reply + 1] = word end
return reply
