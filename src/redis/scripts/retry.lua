-- Resumes a run where it stopped: failed tasks run again with all their attempts, what they blocked is pending again.
-- Nothing that completed is touched, unless a task is named with "from": then it and everything that needs it, over any
-- number of tasks, runs again, whatever has become of it.
-- ARGV: run, index ('' = every failed task that is not tolerated), 'from' or ''
-- Returns {status, count, indexes that run again…, number of others made pending, their indexes…, outbox…};
--   status: retried | gone | nothing | cancelled | undone | workspace {0, run} | running {count, indexes…}
local run, only, from = ARGV[1], ARGV[2], ARGV[3] == 'from'
local state, task_count, node_count = read_size(run)
local workspace = hget(run_hash(run), 'workspace')
if not state then return { 'gone', 0 } end
if hget(run_hash(run), 'undo') then return { 'undone', 0 } end
if state == 'cancelled' or hget(run_hash(run), 'ending') then return { 'cancelled', 0 } end

-- A run that has ended (a tolerated failure retried by name) gave its workspace back; another may use it by now.
local holder = hget(hash_at(B .. ':workspaces'), workspace)
if holder and holder ~= run then return { 'workspace', 0, holder } end

local out, freed, retried, reset = new_outcome(), {}, {}, {}

-- Forgets how the task ended: it has all its attempts again, and their numbers go on.
local function forget(t)
  if t.tol and t.s == 'failed' then count(run, 'tolerated', -1) end
  t.z = (t.z or 0) + (t.u or 0)
  t.u, t.c, t.tol, t.f, t.r, t.x, t.n = nil, nil, nil, nil, nil, nil, nil
end

-- The named task and all that need it, by the plan's own needs: a gate that has opened stays open.
local function find_dependents(first)
  local found, seen, at = { first }, { [first] = true }, 1
  while found[at] do
    for j in gmatch(dependents_of(run, found[at]) or '', '(%d+)%a') do
      local index = tonumber(j)
      if index < task_count and not seen[index] then
        seen[index] = true
        found[#found + 1] = index
      end
    end
    at = at + 1
  end
  return found
end

-- A gate that waits for approval because of a task that runs again waits for that task first.
local function close_gates(index)
  for j in gmatch(dependents_of(run, index) or '', '(%d+)%a') do
    local gate = tonumber(j) >= task_count and load_task(run, j)
    if gate and gate.s == 'parked' then
      count(run, 'gated', -1)
      save_task(run, j, { s = 'pending' })
    end
  end
end

local function start_over(index, is_first)
  local t = load_task(run, index)
  local member = run .. '|' .. index
  leave_lines(member, t)
  if t.g then release(run, member, limits_at(run, index), freed) end
  if t.ap == 1 then count(run, 'approval', -1) end
  call('ZREM', run_key(run, 'outbox'), index)
  hdel(run_hash(run, 'out'), index)
  forget(t)
  t.g, t.b, t.v, t.p, t.st, t.pid, t.w = nil, nil, nil, nil, nil, nil, nil
  -- Who asks for it by name has approved it; those after it are asked for again.
  t.ap = is_first and 2 or nil
  move(run, t, 'pending', false)
  save_task(run, index, t)
  close_gates(index)
  reset[#reset + 1] = index
end

if from then
  local first = load_task(run, only).s
  if first ~= 'completed' and first ~= 'failed' and first ~= 'skipped' then return { 'nothing', 0 } end
  local found, running = find_dependents(tonumber(only)), {}
  for _, index in ipairs(found) do
    if load_task(run, index).s == 'running' then running[#running + 1] = index end
  end
  if #running > 0 then
    table.insert(running, 1, #running)
    table.insert(running, 1, 'running')
    return running
  end
  for at, index in ipairs(found) do start_over(index, at == 1) end
  retried[1] = tonumber(only)
else
  for i = 0, task_count - 1 do
    if only == '' or tonumber(only) == i then
      local t = load_task(run, i)
      if t.s == 'failed' and (only ~= '' or not t.tol) then
        forget(t)
        -- Approved before it failed; its needs are looked at again below: a condition may not be met any more.
        t.ap = 2
        move(run, t, 'pending', false)
        save_task(run, i, t)
        retried[#retried + 1] = i
      end
    end
  end
end
if #retried == 0 then return { 'nothing', 0 } end

set_status(run, STATE, awake_state(run))
hdel(run_hash(run), 'finishedAt', 'blockedAt')
call('SADD', B .. ':live', run)
call('ZREM', B .. ':ended', run)
unshelve(run)
hset(hash_at(B .. ':workspaces'), workspace, run)
event(run, 'run-resumed', 'tasks', concat(retried, ','))
recompute(run, task_count, node_count, out)
tell(run, out)
grant_later(freed)
close_run(run)

local indexes = out.ready
local reply = { 'retried', #retried }
for _, i in ipairs(retried) do reply[#reply + 1] = i end
reply[#reply + 1] = #reset
for _, i in ipairs(reset) do reply[#reply + 1] = i end
for _, value in ipairs(outbox_entries(run, indexes)) do reply[#reply + 1] = value end
return reply
