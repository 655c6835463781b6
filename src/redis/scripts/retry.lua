-- Resumes a blocked run where it stopped: failed tasks run again with all their attempts, what they blocked is pending
-- again. Nothing that completed is touched.
-- ARGV: run, index ('' = every failed task that is not tolerated)
-- Returns {status, retried count, retried…, outbox…}; status: retried | gone | nothing | cancelled
local run, only = ARGV[1], ARGV[2]
local m = redis.call('HMGET', run_key(run), 'state', 'tasks', 'nodes', 'workspace')
local state = m[1]
if not state then return { 'gone', 0 } end
if state == 'cancelled' then return { 'cancelled', 0 } end
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
      t.u, t.c, t.tol, t.f, t.r, t.x, t.n = nil, nil, nil, nil, nil, nil, nil
      save_task(run, i, t)
      redis.call('ZADD', run_key(run, 'outbox'), NOW, i)
      retried[#retried + 1] = i
    end
  end
end
if #retried == 0 then return { 'nothing', 0 } end

-- Everything that has not started is worked out anew from the states of what it needs.
local waiting = {}
for j = 0, node_count - 1 do
  local t = load_task(run, j)
  if t.s == 'blocked' or t.s == 'pending' then
    move(run, t, 'pending', j >= task_count)
    t.b = nil
    save_task(run, j, t)
    waiting[#waiting + 1] = j
  end
end
local out, work, openable = new_outcome(), {}, {}
for _, j in ipairs(waiting) do
  local open, skip, roots = 0, false, {}
  for from, condition in string.gmatch(redis.call('HGET', run_key(run, 'needs'), j) or '', '(%d+)(%a)') do
    local source = load_task(run, from)
    if source.s == 'pending' or source.s == 'ready' or source.s == 'running' or source.s == 'parked' then
      open = open + 1
    else
      local is = verdict(condition, source.s, source.tol)
      if is == 'skip' then skip = true end
      if is == 'block' then roots[#roots + 1] = tonumber(from) end
    end
  end
  redis.call('HSET', run_key(run, 'open'), j, open)
  if skip then redis.call('HSET', run_key(run, 'skip'), j, 1) else redis.call('HDEL', run_key(run, 'skip'), j) end
  if #roots > 0 then
    work[#work + 1] = { j = j, roots = roots }
  elseif open == 0 then
    openable[#openable + 1] = j
  end
end
local ended = {}
for _, item in ipairs(work) do
  local t = load_task(run, item.j)
  move(run, t, 'blocked', item.j >= task_count)
  add_roots(t, item.roots)
  save_task(run, item.j, t)
  ended[#ended + 1] = { i = item.j, s = 'blocked', roots = t.b }
end
for _, j in ipairs(openable) do open_node(run, j, load_task(run, j), task_count, ended, out) end
propagate(run, task_count, ended, out)

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
