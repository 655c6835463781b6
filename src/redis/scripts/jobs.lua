-- Adds the jobs of tasks that a settled task lets go, in the same step. The ordinary way (a new job with a priority, in a
-- queue without limits of its own) is written out here, with fewer commands than BullMQ's own script needs, which knows
-- nothing of what else the call does; the tests compare what both leave behind. For anything else BullMQ's own text is used:
-- `bullmq_addPrioritizedJob` stands before this file. The tree is that of flows/compile.ts. What
-- cannot be added here (too many at once, a parent that is gone) stays in the outbox, for the worker and after it the sweeper.
local MOST_JOBS = 50
adds_jobs = true
local RUNS = B .. ':runs'
local JOB_OPTIONS = { attempts = 1000, backoff = 1000 }

-- A queue as it is in this call, read once.
local queues = {}
local function queue_of(name)
  local q = queues[name]
  if q then return q end
  local prefix = B .. ':' .. name .. ':'
  local meta = call('HMGET', prefix .. 'meta', 'paused', 'concurrency', 'max', 'opts.maxLenEvents')
  q = {
    prefix = prefix,
    events = prefix .. 'events',
    -- Not paused, no limits of its own.
    is_plain = not (meta[1] or meta[2] or meta[3]),
    has_room = not meta[1] and not (meta[2] and call('LLEN', prefix .. 'active') >= tonumber(meta[2])),
    most_events = meta[4] or 10000,
    -- Jobs to be written together.
    prioritized = {},
    active = {},
    completed = {},
    ended = {},
    locks = {},
  }
  queues[name] = q
  return q
end

-- BullMQ's way to wake a worker that waits for jobs.
local function wake(q)
  if q.is_woken or not q.has_room then return end
  call('ZADD', q.prefix .. 'marker', 0, '0')
  q.is_woken = true
end

-- An entry of the queue's event stream, which is cut once in a call. None unless the configuration wants them (scripts.ts):
-- planq has its own events, and these would be a fourteenth of all that a task costs Redis.
local function queue_event(q, ...)
  if not KEEPS_QUEUE_EVENTS then return end
  if q.is_cut then
    call('XADD', q.events, '*', 'event', ...)
  else
    call('XADD', q.events, 'MAXLEN', '~', q.most_events, '*', 'event', ...)
    q.is_cut = true
  end
end

local parents = {}
local function parent_exists(key)
  if parents[key] == nil then parents[key] = call('EXISTS', key) == 1 end
  return parents[key]
end

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

-- As BullMQ stores them. `false`: without a priority.
local options_json = {}
local function options_of(priority)
  if not options_json[priority] then
    JOB_OPTIONS.priority = priority or nil
    options_json[priority] = encode(JOB_OPTIONS)
  end
  return options_json[priority]
end

local function add_by_bullmq(prefix, id, name, parent, data, priority)
  JOB_OPTIONS.priority = priority
  return bullmq_addPrioritizedJob(
    queue_keys(prefix, { 'marker', 'meta', 'id', 'prioritized', 'delayed', 'completed', 'active', 'events', 'pc' }),
    { job_arguments(prefix, id, name, parent), data, cmsgpack.pack(JOB_OPTIONS) }
  )
end

-- In line by its priority, and by what came first: `write_prioritized` counts them.
local function prioritise(q, id, priority)
  local list = q.prioritized
  list[#list + 1] = priority
  list[#list + 1] = id
end

-- What can be written for all jobs of a queue together.
local function write_prioritized()
  for _, q in pairs(queues) do
    local list = q.prioritized
    if #list > 0 then
      local count = call('INCRBY', q.prefix .. 'pc', #list / 2) - #list / 2
      for at = 1, #list, 2 do
        count = count + 1
        list[at] = text_of(list[at] * 0x100000000 + count % 0x100000000)
      end
      call_in_parts('ZADD', q.prefix .. 'prioritized', list)
      wake(q)
      q.prioritized = {}
    end
  end
end

local function store_job(q, key, id, name, data, priority, parent)
  call('HSET', key, 'name', name, 'data', data, 'opts', options_of(priority), 'timestamp', NOW_TEXT, 'delay', '0', 'priority',
    text_of(priority or 0), 'parentKey', RUNS .. ':' .. parent, 'parent', '{"id":"' .. parent .. '","queueKey":"' .. RUNS .. '"}')
  queue_event(q, 'added', 'jobId', id, 'name', name)
  call('SADD', RUNS .. ':' .. parent .. ':dependencies', key)
end

-- What of a node's text its job is made of: master, id, priority, barrier group.
local NODE_JOB = '^(%S*) (%S+) %S* (%d+) (%d+)'

-- It may be there already: what a call has added stays when the rest of it is taken back. Returns false when it is not there.
local function add_task_job(run, i, m, node_id, p, parent)
  local q = queue_of('master-' .. m)
  local id, data, priority = run .. '.' .. node_id, '{"v":1,"run":"' .. run .. '","i":' .. i .. '}', tonumber(p)
  local key = q.prefix .. id
  if not parent_exists(RUNS .. ':' .. parent) then return false end
  if not q.is_plain or not priority or priority == 0 or call('EXISTS', key) == 1 then
    return add_by_bullmq(q.prefix, id, node_id, parent, data, priority) == id
  end
  store_job(q, key, id, node_id, data, priority, parent)
  prioritise(q, id, priority)
  queue_event(q, 'waiting', 'jobId', id)
  return true
end

-- Returns false when it was there before, or its run job is gone.
local function add_stage_job(run, group, id)
  local q, key = queue_of('runs'), RUNS .. ':' .. id
  if parent_exists(key) or not parent_exists(RUNS .. ':' .. run) then return false end
  store_job(q, key, id, 'stage ' .. group, '{"v":1,"run":"' .. run .. '","g":' .. group .. '}', false, run)
  call('ZADD', q.prefix .. 'waiting-children', NOW_TEXT, id)
  queue_event(q, 'waiting-children', 'jobId', id)
  parents[key] = true
  return true
end

-- Wakes the jobs of waiters that were granted what they waited for ("run|index", the text of its node, …). Returns the grants whose jobs
-- are not asleep here: the worker that puts such a job aside looks once more after it has.
local function promote_granted(grants)
  local left = {}
  for at = 1, #grants, 2 do
    local run, node = match(grants[at], '^(.*)|%d+$'), parse_node(grants[at + 1])
    local q, id = queue_of('master-' .. node.m), run .. '.' .. node.id
    if q.is_plain and call('ZREM', q.prefix .. 'delayed', id) == 1 then
      call('HSET', q.prefix .. id, 'delay', '0')
      prioritise(q, id, node.p)
      queue_event(q, 'waiting', 'jobId', id, 'prev', 'delayed')
    else
      left[#left + 1] = grants[at]
      left[#left + 1] = grants[at + 1]
    end
  end
  return left
end

local function keep_in_outbox(run, indexes)
  local entries = {}
  for _, i in ipairs(indexes) do
    entries[#entries + 1] = NOW_TEXT
    entries[#entries + 1] = i
  end
  call_in_parts('ZADD', run_key(run, 'outbox'), entries)
end

-- Adds the jobs of the tasks that are ready; returns those that could not be added, which stand in the outbox then.
-- `parent` is the parent of the settling task's job ('' = none). A stage of one task needs no job of its own.
local function add_ready_jobs(run, out, parent)
  local ready, h = out.ready, run_hash(run)
  if #ready == 0 then return NONE end
  if #ready > MOST_JOBS then
    keep_in_outbox(run, ready)
    return ready
  end
  local own_group = match(parent, '%.stage%-(%d+)$')
  local sizes, opened, left = NONE, NONE, NONE
  if #ready > 1 then
    sizes, opened = {}, {}
    for _, i in ipairs(ready) do
      local _, _, _, g = match(hget(h, i) or '', NODE_JOB)
      if g then sizes[g] = (sizes[g] or 0) + 1 end
    end
  end
  for _, i in ipairs(ready) do
    local m, id, p, g = match(hget(h, i) or '', NODE_JOB)
    local under = run
    if g and g == own_group then
      under = parent
    elseif (sizes[g] or 0) > 1 and tonumber(g) > tonumber(own_group or '0') then
      local stage = run .. '.stage-' .. g
      if opened[stage] == nil then
        -- A stage job that is there was opened before; it may have ended by now.
        opened[stage] = add_stage_job(run, g, stage)
      end
      if opened[stage] then under = stage end
    end
    if not (m and add_task_job(run, i, m, id, p, under)) then
      if left == NONE then left = {} end
      left[#left + 1] = i
    end
  end
  if left ~= NONE then keep_in_outbox(run, left) end
  return left
end
