-- A running task has a lease, or nobody would ever find that its worker is gone. One without gets a lease now: a worker
-- that lives renews it, that of a dead one runs out, and the sweep settles the task. The limits are added up afterwards.
-- A lease that would outlast every clock is cut to the same length.
-- ARGV: ms of a lease, ms from now on after which no lease ends, run ('' = none), indexes of tasks to look at
-- Returns per repair: run, index, node ('' when there is none), 'missing' or 'too-long'
local ttl, most, run = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local reply = {}
local function mend(its_run, i, why)
  call('ZADD', LEASES_KEY, NOW + ttl, its_run .. '|' .. i)
  event(its_run, 'repaired', 'what', 'lease', 'task', i)
  for _, word in ipairs({ its_run, i, hget(run_hash(its_run), i) or '', why }) do reply[#reply + 1] = word end
end
for _, member in ipairs(call('ZRANGEBYSCORE', LEASES_KEY, NOW + most, '+inf', 'LIMIT', 0, 100)) do
  local its_run, i = match(member, '^(.*)|(%d+)$')
  if its_run then mend(its_run, i, 'too-long') end
end
for at = 4, #ARGV do
  if load_task(run, ARGV[at]).s == 'running' and not call('ZSCORE', LEASES_KEY, run .. '|' .. ARGV[at]) then
    mend(run, ARGV[at], 'missing')
  end
end
return reply
