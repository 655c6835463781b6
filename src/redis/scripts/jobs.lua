-- Adds the jobs of tasks that a settled task lets go, in the same step, by BullMQ's own scripts: `bullmq_addPrioritizedJob`
-- and `bullmq_addParentJob` stand before this file. The tree is that of flows/compile.ts. What cannot be added here (too
-- many at once, a parent that is gone) stays in the outbox, for the worker and after it the sweeper.
local MOST_JOBS = 50
adds_jobs = true
local RUNS = B .. ':runs'
local JOB_OPTIONS = { attempts = 1000, backoff = { type = 'fixed', delay = 1000 } }

local function queue_keys(prefix, names)
  local keys = {}
  for at, name in ipairs(names) do keys[at] = prefix .. name end
  return keys
end

-- What BullMQ's scripts are given: who the job is, under which parent of the runs queue.
local function job_arguments(prefix, id, name, parent)
  local parent_key = RUNS .. ':' .. parent
  return cmsgpack.pack({ prefix, id, name, NOW, parent_key, parent_key .. ':dependencies', { id = parent, queueKey = RUNS } })
end

-- Returns false when it is not there.
local function add_task_job(run, i, node, parent)
  local prefix = B .. ':master-' .. node.m .. ':'
  local id = run .. '.' .. node.id
  JOB_OPTIONS.priority = node.p
  local reply = bullmq_addPrioritizedJob(
    queue_keys(prefix, { 'marker', 'meta', 'id', 'prioritized', 'delayed', 'completed', 'active', 'events', 'pc' }),
    { job_arguments(prefix, id, node.id, parent), '{"v":1,"run":"' .. run .. '","i":' .. i .. '}', cmsgpack.pack(JOB_OPTIONS) }
  )
  return reply == id
end

local function add_stage_job(run, group, id)
  local prefix = RUNS .. ':'
  JOB_OPTIONS.priority = nil
  local reply = bullmq_addParentJob(
    queue_keys(prefix, { 'meta', 'id', 'delayed', 'waiting-children', 'completed', 'events' }),
    { job_arguments(prefix, id, 'stage ' .. group, run), '{"v":1,"run":"' .. run .. '","g":' .. group .. '}', cmsgpack.pack(JOB_OPTIONS) }
  )
  return reply == id
end

local function keep_in_outbox(run, indexes)
  local entries = {}
  for _, i in ipairs(indexes) do
    entries[#entries + 1] = NOW
    entries[#entries + 1] = i
  end
  call_in_parts('ZADD', run_key(run, 'outbox'), entries)
end

-- Adds the jobs of the tasks in `ready`; returns those that could not be added, which stand in the outbox then.
-- `parent` is the parent of the settling task's job ('' = none). A stage of one task needs no job of its own.
local function add_ready_jobs(run, ready, parent)
  if #ready == 0 then return ready end
  if #ready > MOST_JOBS then
    keep_in_outbox(run, ready)
    return ready
  end
  local nodes, sizes, left = {}, {}, {}
  for at, i in ipairs(ready) do
    nodes[at] = load_node(run, i)
    sizes[nodes[at].g] = (sizes[nodes[at].g] or 0) + 1
  end
  local own_group = tonumber(string.match(parent, '%.stage%-(%d+)$') or '0')
  local opened = {}
  for at, i in ipairs(ready) do
    local node = nodes[at]
    local stage = run .. '.stage-' .. node.g
    local under = run
    if node.g > 0 and node.g == own_group then
      under = parent
    elseif node.g > own_group and sizes[node.g] > 1 then
      if opened[stage] == nil then
        -- A stage job that is there was opened before; it may have ended by now.
        opened[stage] = redis.call('EXISTS', RUNS .. ':' .. stage) == 0 and add_stage_job(run, node.g, stage)
      end
      if opened[stage] then under = stage end
    end
    if not add_task_job(run, i, node, under) then left[#left + 1] = i end
  end
  keep_in_outbox(run, left)
  return left
end
