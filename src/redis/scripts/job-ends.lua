-- Ends BullMQ's jobs and takes the next ones, in the step that settles or claims their tasks. As in `jobs`, the ordinary ways
-- are written out, and leave behind what BullMQ's own scripts leave, its events where they are wanted; whatever else there is,
-- is left to those scripts, which the worker calls then. One thing BullMQ does not do: a stage or run job that has nothing to do
-- but to end completes with its last child.

-- What a stage or run job would find to be done now: the state that it ends with, or nil when a worker has to see to it.
local function concluded(id)
  local run, group = match(id, '^([^.]+)%.stage%-(%d+)$')
  local answer = conclude({ run or id, group or '' }, 0)
  return answer[1] == 'done' and answer[2] or nil
end

-- A count that BullMQ keeps of a job, a text or nothing.
local function one_more(count)
  return count and text_of(tonumber(count) + 1) or '1'
end

-- Whether tasks of a run that this call has looked at are still to come to their ends by themselves: so its run job is not to end.
local function has_more(run)
  local s = statuses[run]
  return s and s[STATE] and (s[COUNTS.ready] ~= '0' or s[COUNTS.running] ~= '0' or count_of(run, 'parked') > count_of(run, 'approval'))
end

local release_parent
local function leave_parent(parent, key, value)
  local dependencies = parent .. ':dependencies'
  if call('SREM', dependencies, key) == 0 then return end
  call('HSET', parent .. ':processed', key, value)
  if not has_more(sub(parent, #RUNS + 2)) and call('SCARD', dependencies) == 0 then release_parent(parent) end
end

-- The last child has ended. A parent that has nothing to do but to end does so at once; any other is for a worker now.
release_parent = function(parent)
  local q, id = queue_of('runs'), sub(parent, #RUNS + 2)
  if call('ZREM', q.prefix .. 'waiting-children', id) == 0 then return end
  local job = call('HMGET', parent, 'parentKey', 'defa', 'ats', 'atm')
  local state = q.is_plain and not job[2] and concluded(id)
  if not state then
    call('RPUSH', q.prefix .. 'wait', id)
    wake(q)
    queue_event(q, 'waiting', 'jobId', id, 'prev', 'waiting-children')
    return
  end
  local value = '{"state":"' .. state .. '"}'
  call('HSET', parent, 'processedOn', NOW_TEXT, 'finishedOn', NOW_TEXT, 'returnvalue', value, 'ats', one_more(job[3]), 'atm', one_more(job[4]))
  q.completed[#q.completed + 1] = NOW_TEXT
  q.completed[#q.completed + 1] = id
  queue_event(q, 'completed', 'jobId', id, 'returnvalue', value, 'prev', 'waiting-children')
  if job[1] then leave_parent(job[1], parent, value) end
end

-- Who has which job, as far as it was asked for.
local holders = {}
local function read_locks(keys)
  if #keys == 0 then return end
  local found = call('MGET', unpack(keys))
  for at, key in ipairs(keys) do holders[key] = found[at] end
end

-- Completes an active task job that is locked with `lock`, with the parent and the attempts that it had when it was taken: as
-- long as the lock is the same, nobody changes them. Returns false when BullMQ's own script has to look at it.
local function complete_job(q, id, lock, value, parent, attempts)
  local key = q.prefix .. id
  if sub(parent, 1, #RUNS + 1) ~= RUNS .. ':' or holders[key .. ':lock'] ~= lock then return false end
  if call('LREM', q.prefix .. 'active', '-1', id) == 0 then return false end
  holders[key .. ':lock'] = nil
  leave_parent(parent, key, value)
  call('HSET', key, 'atm', one_more(attempts), 'returnvalue', value, 'finishedOn', NOW_TEXT)
  q.completed[#q.completed + 1] = NOW_TEXT
  q.completed[#q.completed + 1] = id
  q.ended[#q.ended + 1] = id
  q.locks[#q.locks + 1] = key .. ':lock'
  queue_event(q, 'completed', 'jobId', id, 'returnvalue', value, 'prev', 'active')
  return true
end

-- What can be written for all jobs of a queue together.
local function write_completed()
  for _, q in pairs(queues) do
    if #q.completed > 0 then call_in_parts('ZADD', q.prefix .. 'completed', q.completed) end
    if #q.ended > 0 then
      call_in_parts('SREM', q.prefix .. 'stalled', q.ended)
      call('DEL', unpack(q.locks))
    end
    q.completed, q.ended, q.locks = {}, {}, {}
  end
end

-- Takes up to `most` jobs out of a queue's line. Returns their ids, and whether BullMQ's own script has to look for more: it
-- knows of limits, jobs that are due or were put back, and how long to wait.
local function take_jobs(q, most)
  if not q.is_plain or call('LLEN', q.prefix .. 'wait') > 0 then return {}, true end
  local delayed = call('ZRANGE', q.prefix .. 'delayed', 0, 0, 'WITHSCORES')
  if delayed[2] and tonumber(delayed[2]) / 0x1000 <= NOW then return {}, true end
  local ids = call('ZRANGE', q.prefix .. 'prioritized', 0, most - 1)
  if #ids > 0 then
    call('ZREM', q.prefix .. 'prioritized', unpack(ids))
    wake(q)
  end
  if #ids == most then return ids, false end
  call('DEL', q.prefix .. 'pc')
  if not delayed[1] and #ids == 0 and #q.active == 0 and call('LLEN', q.prefix .. 'active') == 0 then
    queue_event(q, 'drained')
  end
  return ids, delayed[1] ~= nil
end

-- A job, with `run` and `i` when its data are as planq writes them. One that was never taken before is as planq has added it,
-- but for a few fields; of any other, `flat` has all fields as BullMQ's scripts return them.
local function read_job(q, id)
  local v = call('HMGET', q.prefix .. id, 'data', 'parentKey', 'timestamp', 'ats', 'atm', 'deid', 'defa')
  local run, i = match(v[1] or '', '^{"v":1,"run":"([^"\\]+)","i":(%d+)}$')
  local is_named = run and sub(id, 1, #run + 1) == run .. '.'
  if is_named and v[2] and not (v[4] or v[5] or v[6] or v[7]) then return { run = run, i = i, parent = v[2], timestamp = v[3] } end
  local flat = call('HGETALL', q.prefix .. id)
  local job = { run = run, i = i, ats = v[4], atm = v[5], defa = v[7], flat = flat }
  for at = 1, #flat, 2 do
    if flat[at] == 'failedReason' then job.reason = flat[at + 1] end
  end
  return job
end

-- Locks a job that was taken and makes it active; adds to `flat` what that changes.
local function activate_job(q, id, job, lock, lock_ms)
  local key, started, flat = q.prefix .. id, one_more(job.ats), job.flat
  call('SET', key .. ':lock', lock, 'PX', lock_ms)
  call('HSET', key, 'processedOn', NOW_TEXT, 'ats', started)
  queue_event(q, 'active', 'jobId', id, 'prev', 'waiting')
  q.active[#q.active + 1] = id
  if not flat then return end
  local at = #flat
  flat[at + 1], flat[at + 2], flat[at + 3], flat[at + 4] = 'processedOn', NOW_TEXT, 'ats', started
end

-- Its task has to wait and stands in a line: so does the job, until it is promoted. The sweeper would find it sooner.
local PARK_MS = 3600000
local function park_job(q, id)
  call('HSET', q.prefix .. id, 'delay', PARK_MS)
  call('ZADD', q.prefix .. 'delayed', (NOW + PARK_MS) * 0x1000, id)
  queue_event(q, 'delayed', 'jobId', id, 'delay', NOW + PARK_MS)
  q.has_parked = true
end

-- What can be written for all jobs of a queue together.
local function write_taken()
  for _, q in pairs(queues) do
    call_in_parts('LPUSH', q.prefix .. 'active', q.active)
    if q.has_parked then
      -- Workers that wait for jobs wait for the first that is due.
      local first = call('ZRANGE', q.prefix .. 'delayed', 0, 0, 'WITHSCORES')
      call('ZADD', q.prefix .. 'marker', tonumber(first[2]) / 0x1000, '1')
    end
    q.active, q.has_parked = {}, nil
  end
end
