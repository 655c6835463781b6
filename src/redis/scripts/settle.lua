-- Writes an attempt's outcome, once; the first write wins. Frees its leases, lets dependents go or blocks them.
-- ARGV: run, index, token, kind, reason, exit code ('' = none), values JSON ('' = none), delay ms before a next attempt,
--       verified ('1' or ''), id of the job's parent ('' = none), the hint that `claim` gave ('' = none)
-- kind: completed | retryable | failed | snoozed | cancelled
-- What becomes ready is added to BullMQ here, and the jobs of granted waiters are woken; the outbox and the grants in the
-- reply are what could not be.
-- Returns: {status, state, run state, delay ms, number of blocked, blocked…, number of grants, grants…, outbox…}
--   status: settled | already (this token has settled before) | superseded (somebody else has it) | gone
-- `advance` gets only the run's state, as a text, of a task that is completed and leaves nothing to be done to the worker.

-- The arguments are those after the first `at`.
local function settle(args, at)
  local run, i, token, kind = args[at + 1], args[at + 2], args[at + 3], args[at + 4]
  local reason, exit_code, values = args[at + 5], tonumber(args[at + 6]), args[at + 7]
  -- All that is looked at in one command, where the hint says who needs this task: not more than `propagate` reads itself.
  local h, record_of, needed_by = run_hash(run), 't' .. i, 'd' .. i
  local names = { i, record_of, needed_by, 'status' }
  for j in gmatch(args[at + 11] or '', '%d+') do
    local count = #names
    names[count + 1], names[count + 2], names[count + 3] = 'o' .. j, 't' .. j, j
  end
  local found = look(h, names)
  h[record_of], h[needed_by] = found[2], found[3]
  for at = 5, #names do h[names[at]] = found[at] end
  local limits = limits_in(found[1])
  local status = status_of(run, found[4])
  local state, task_count = status[STATE], tonumber(status[TASKS])
  if not state then return { 'gone', '', '', 0, 0, 0 } end
  local out, freed, grants, delay, t = new_outcome(), {}, NONE, 0, nil

  local record = h[record_of]
  local k, facts, began, attempt
  if kind == 'completed' and reason == '' and record then k, facts, began, attempt = match(record, STARTED) end
  if k == token then
    -- It ends well, and nothing has happened to it before.
    release(run, run .. '|' .. i, limits, freed)
    recount(run, COUNTS.running, COUNTS.completed)
    save_completed(run, i, token, facts, attempt, exit_code, args[at + 9] == '1')
  else
    t = load_task(run, i)
    if t.s ~= 'running' or t.k ~= token then
      local is_settled = t.lk == token and t.s ~= 'running'
      if not is_settled then
        event(run, 'task-superseded', 'task', i, 'reason', kind, 'worker', t.w or '')
        return { 'superseded', t.s, state, 0, 0, 0 }
      end
      local reply = outbox_entries(run, call('ZRANGE', run_key(run, 'outbox'), 0, 499))
      for _, value in ipairs({ 0, 0, math.max(0, (t.n or 0) - NOW), state, t.s, 'already' }) do table.insert(reply, 1, value) end
      return reply
    end
    began, attempt = t.st, t.a
    t.k, t.lk = nil, token
    t.f = NOW
    if reason ~= '' then t.r = reason end
    t.x = exit_code
    if args[at + 9] == '1' then t.v = 1 end
    release(run, run .. '|' .. i, limits, freed)
    if kind == 'completed' then
      t.u = t.a - (t.z or 0)
      t.p = nil
      move(run, t, 'completed', false)
      save_task(run, i, t)
    end
  end
  local ms = NOW - began

  if kind == 'completed' then
    if values ~= '' then put(run_hash(run, 'out'), i, values) end
    told[#told + 1] = run .. '\ttask-completed\ttask\t' .. i .. '\tattempt\t' .. text_of(attempt) .. '\texit\t'
      .. (exit_code and text_of(exit_code) or '') .. '\tms\t' .. text_of(ms)
    propagate(run, task_count, { { i = i, s = 'completed' } }, out)
  elseif kind == 'cancelled' or (state == 'cancelled' and kind ~= 'failed') then
    move(run, t, 'cancelled', false)
    save_task(run, i, t)
    event(run, 'task-cancelled', 'task', i, 'attempt', t.a, 'ms', ms)
  elseif kind == 'snoozed' then
    delay = tonumber(args[at + 8])
    t.n = delay > 0 and NOW + delay or nil
    move(run, t, 'ready', false)
    save_task(run, i, t)
    event(run, 'task-snoozed', 'task', i, 'attempt', t.a, 'reason', t.r or '', 'delay', delay)
  else
    t.u = t.a - (t.z or 0)
    local node = load_node(run, i)
    if kind == 'retryable' and t.u < node.x then
      delay = tonumber(args[at + 8])
      t.n = NOW + delay
      move(run, t, 'ready', false)
      save_task(run, i, t)
      event(run, 'task-retrying', 'task', i, 'attempt', t.a, 'reason', t.r or '', 'exit', t.x or '', 'delay', delay, 'ms', ms)
    else
      fail_task(run, i, t, node, task_count, out)
    end
  end

  tell(run, out, i)
  if t then stop_on_failure(run, t, task_count, freed) end
  if someone_waits() then
    grants = {}
    grant_waiters(freed, grants)
    grants = promote_granted(grants)
  end
  local run_state = close_run(run)
  local left = add_ready_jobs(run, out, args[at + 10] or '')
  if not t and #out.blocked == 0 and #grants == 0 and #left == 0 then return run_state end
  local reply = { 'settled', t and t.s or 'completed', run_state, delay, #out.blocked }
  for _, j in ipairs(out.blocked) do reply[#reply + 1] = j end
  reply[#reply + 1] = #grants
  for _, member in ipairs(grants) do reply[#reply + 1] = member end
  if #left > 0 then
    for _, value in ipairs(outbox_entries(run, left)) do reply[#reply + 1] = value end
  end
  return reply
end

-- Alone, without the job.
local function settle_whole(args, at)
  local reply = settle(args, at)
  return type(reply) == 'string' and { 'settled', 'completed', reply, 0, 0, 0 } or reply
end
