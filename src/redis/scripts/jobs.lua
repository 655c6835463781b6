-- BullMQ's jobs, moved in the same step as the record. The ordinary ways (a new job with a priority, a job that completes,
-- the next job of a queue) are written out here with fewer commands than BullMQ's own scripts need, which know nothing of
-- what else the call does; the tests compare what both leave behind. For anything else BullMQ's own text is used:
-- `bullmq_addPrioritizedJob` and `bullmq_addParentJob` stand before this file, and what `advance` cannot do is left to the
-- worker, which calls BullMQ's scripts. The tree is that of flows/compile.ts. What cannot be added here (too many at once, a
-- parent that is gone) stays in the outbox, for the worker and after it the sweeper.
local MOST_JOBS = 50
adds_jobs = true
local RUNS = B .. ':runs'
local JOB_OPTIONS = { attempts = 1000, backoff = { type = 'fixed', delay = 1000 } }

-- A queue as it is in this call, read once.
local queues = {}
local function queue_of(name)
  local q = queues[name]
  if q then return q end
  local prefix = B .. ':' .. name .. ':'
  local meta = redis.call('HMGET', prefix .. 'meta', 'paused', 'concurrency', 'max', 'opts.maxLenEvents')
  q = {
    prefix = prefix,
    events = prefix .. 'events',
    -- Not paused, no limits of its own.
    is_plain = not (meta[1] or meta[2] or meta[3]),
    has_room = not meta[1] and not (meta[2] and redis.call('LLEN', prefix .. 'active') >= tonumber(meta[2])),
    most_events = meta[4] or 10000,
    completed = {},
    ended = {},
  }
  queues[name] = q
  return q
end

-- BullMQ's way to wake a worker that waits for jobs.
local function wake(q)
  if q.is_woken or not q.has_room then return end
  redis.call('ZADD', q.prefix .. 'marker', 0, '0')
  q.is_woken = true
end

-- An entry of the queue's event stream, which is cut once in a call.
local function queue_event(q, ...)
  if q.is_cut then
    redis.call('XADD', q.events, '*', 'event', ...)
  else
    redis.call('XADD', q.events, 'MAXLEN', '~', q.most_events, '*', 'event', ...)
    q.is_cut = true
  end
end

local parents = {}
local function parent_exists(key)
  if parents[key] == nil then parents[key] = redis.call('EXISTS', key) == 1 end
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

local options_json = {}
local function options_of(priority)
  if not options_json[priority] then
    JOB_OPTIONS.priority = priority
    options_json[priority] = cjson.encode(JOB_OPTIONS)
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

-- Returns false when it is not there.
local function add_task_job(run, i, node, parent)
  local q = queue_of('master-' .. node.m)
  local id, data = run .. '.' .. node.id, '{"v":1,"run":"' .. run .. '","i":' .. i .. '}'
  local key, parent_key = q.prefix .. id, RUNS .. ':' .. parent
  if not parent_exists(parent_key) then return false end
  if not q.is_plain or not node.p or node.p == 0 or redis.call('EXISTS', key) == 1 then
    return add_by_bullmq(q.prefix, id, node.id, parent, data, node.p) == id
  end
  redis.call('HSET', key, 'name', node.id, 'data', data, 'opts', options_of(node.p), 'timestamp', NOW, 'delay', 0,
    'priority', node.p, 'parentKey', parent_key, 'parent', '{"id":"' .. parent .. '","queueKey":"' .. RUNS .. '"}')
  queue_event(q, 'added', 'jobId', id, 'name', node.id)
  local count = redis.call('INCR', q.prefix .. 'pc')
  redis.call('ZADD', q.prefix .. 'prioritized', node.p * 0x100000000 + count % 0x100000000, id)
  wake(q)
  queue_event(q, 'waiting', 'jobId', id)
  redis.call('SADD', parent_key .. ':dependencies', key)
  return true
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
        opened[stage] = not parent_exists(RUNS .. ':' .. stage) and add_stage_job(run, node.g, stage)
        parents[RUNS .. ':' .. stage] = nil
      end
      if opened[stage] then under = stage end
    end
    if not add_task_job(run, i, node, under) then left[#left + 1] = i end
  end
  keep_in_outbox(run, left)
  return left
end

----------------------------------------------------------------------------------------------- the end and the next one

-- The last child has ended: the parent is for a worker now.
local function release_parent(parent)
  local q, id = queue_of('runs'), string.sub(parent, #RUNS + 2)
  if redis.call('ZREM', q.prefix .. 'waiting-children', id) == 0 then return end
  redis.call('RPUSH', q.prefix .. 'wait', id)
  wake(q)
  queue_event(q, 'waiting', 'jobId', id, 'prev', 'waiting-children')
end

-- Completes an active task job that is locked with `lock`. Returns false when BullMQ's own script has to look at it.
local function complete_job(q, id, lock, value)
  local key = q.prefix .. id
  local job = redis.call('HMGET', key, 'name', 'parentKey', 'deid', 'atm')
  local parent = job[2]
  if not job[1] or job[3] or not parent or string.sub(parent, 1, #RUNS + 1) ~= RUNS .. ':' then return false end
  if redis.call('GET', key .. ':lock') ~= lock then return false end
  if redis.call('LREM', q.prefix .. 'active', -1, id) == 0 then return false end
  redis.call('DEL', key .. ':lock')
  if redis.call('SREM', parent .. ':dependencies', key) == 1 then
    redis.call('HSET', parent .. ':processed', key, value)
    if redis.call('SCARD', parent .. ':dependencies') == 0 then release_parent(parent) end
  end
  redis.call('HSET', key, 'atm', tonumber(job[4] or '0') + 1, 'returnvalue', value, 'finishedOn', NOW)
  q.completed[#q.completed + 1] = NOW
  q.completed[#q.completed + 1] = id
  q.ended[#q.ended + 1] = id
  queue_event(q, 'completed', 'jobId', id, 'returnvalue', value, 'prev', 'active')
  return true
end

-- What can be written for all jobs of a queue together.
local function write_completed()
  for _, q in pairs(queues) do
    call_in_parts('ZADD', q.prefix .. 'completed', q.completed)
    call_in_parts('SREM', q.prefix .. 'stalled', q.ended)
    q.completed, q.ended = {}, {}
  end
end

-- Makes up to `most` jobs of a queue active. Returns their ids, and whether BullMQ's own script has to look for more: it
-- knows of limits, jobs that are due or were put back, and how long to wait.
local function take_jobs(q, most)
  if not q.is_plain or redis.call('LLEN', q.prefix .. 'wait') > 0 then return {}, true end
  local delayed = redis.call('ZRANGE', q.prefix .. 'delayed', 0, 0, 'WITHSCORES')
  if delayed[2] and tonumber(delayed[2]) / 0x1000 <= NOW then return {}, true end
  local ids = redis.call('ZRANGE', q.prefix .. 'prioritized', 0, most - 1)
  if #ids > 0 then
    redis.call('LPUSH', q.prefix .. 'active', unpack(ids))
    redis.call('ZREM', q.prefix .. 'prioritized', unpack(ids))
    wake(q)
  end
  if #ids == most then return ids, false end
  redis.call('DEL', q.prefix .. 'pc')
  if not delayed[1] and #ids == 0 and redis.call('LLEN', q.prefix .. 'active') == 0 then queue_event(q, 'drained') end
  return ids, delayed[1] ~= nil
end

-- Locks an active job. Returns its fields as BullMQ's scripts do, and the same by name.
local function open_job(q, id, lock, lock_ms)
  local key = q.prefix .. id
  redis.call('SET', key .. ':lock', lock, 'PX', lock_ms)
  local flat, fields = redis.call('HGETALL', key), {}
  for at = 1, #flat, 2 do fields[flat[at]] = flat[at + 1] end
  local started = tonumber(fields.ats or '0') + 1
  redis.call('HSET', key, 'processedOn', NOW, 'ats', started)
  queue_event(q, 'active', 'jobId', id, 'prev', 'waiting')
  for _, value in ipairs({ 'processedOn', tostring(NOW), 'ats', tostring(started) }) do flat[#flat + 1] = value end
  return flat, fields
end
