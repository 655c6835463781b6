-- Resumes a blocked run where it stopped: failed tasks run again with all their attempts, what they blocked is pending
-- again. Nothing that completed is touched.
-- ARGV: run, index ('' = every failed task that is not tolerated)
-- Returns {status, retried count, retried…, outbox…}; status: retried | gone | nothing | cancelled
local run, only = ARGV[1], ARGV[2]
local m = redis.call('HMGET', run_key(run), 'state', 'tasks', 'nodes', 'workspace')
local state = m[1]
if not state then return { 'gone', 0 } end
if state == 'cancelled' or redis.call('HGET', run_key(run), 'ending') then return { 'cancelled', 0 } end
local task_count, node_count = tonumber(m[2]), tonumber(m[3])

-- A run that has ended (a tolerated failure retried by name) gave its workspace back; another may use it by now.
local holder = redis.call('HGET', B .. ':workspaces', m[4])
if holder and holder ~= run then return { 'workspace', 0, holder } end

local retried = {}
for i = 0, task_count - 1 do
  if only == '' or tonumber(only) == i then
    local t = load_task(run, i)
    if t.s == 'failed' and (only ~= '' or not t.tol) then
      if t.tol then redis.call('HINCRBY', run_key(run), 'n:tolerated', -1) end
      move(run, t, 'ready', false)
      t.z = (t.z or 0) + (t.u or 0)
      t.u, t.c, t.tol, t.f, t.r, t.x, t.n = nil, nil, nil, nil, nil, nil, nil
      save_task(run, i, t)
      redis.call('ZADD', run_key(run, 'outbox'), NOW, i)
      retried[#retried + 1] = i
    end
  end
end
if #retried == 0 then return { 'nothing', 0 } end

local out = new_outcome()
recompute(run, task_count, node_count, out)

redis.call('HSET', run_key(run), 'state', 'running')
redis.call('HDEL', run_key(run), 'finishedAt', 'blockedAt')
redis.call('SADD', B .. ':live', run)
redis.call('HSET', B .. ':workspaces', m[4], run)
event(run, 'run-resumed', 'tasks', table.concat(retried, ','))
tell(run, out)
local reply = { 'retried', #retried }
for _, i in ipairs(retried) do reply[#reply + 1] = i end
local indexes = {}
for _, i in ipairs(retried) do indexes[#indexes + 1] = i end
for _, i in ipairs(out.ready) do indexes[#indexes + 1] = i end
for _, value in ipairs(outbox_entries(run, indexes)) do reply[#reply + 1] = value end
return reply
