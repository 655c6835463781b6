-- May this job's task run now? Takes its leases and marks it running under a fresh token, or says why not.
-- ARGV: run, index, token, worker, lease ms, '1' = nothing else runs beside it, attempts that BullMQ counts,
--       '1' = a person moved the job out of BullMQ's failed ones, the job as <queue>/<id> ('' = not asked by a job)
-- Returns one of
--   {'run', def, attempt, context JSON, attempts used, hint}      perform it; the hint is for `settle`
--   {'settled', state, outbox…}                                   nothing to do; add the outbox, end the job
--   {'parked', reason}                                            wait for a grant
--   {'later', ms}                                                 come back then: backoff, or another worker's lease
--   {'suspect', crashes}                                          it has stopped workers: claim again with nothing beside it
--   {'again'}                                                     a person wants the failed task to run again
--   {'final', run state} | {'gone'}                               the run has ended / no record knows this job
--   {'foreign'}                                                   this task has another job
-- From so many ended workers on, a task is suspected of ending them; with one more it has failed.
local SUSPECT, GUILTY = 2, 3
local MOST_HINTED = 100

local function settled(state, reply)
  table.insert(reply, 1, state)
  table.insert(reply, 1, 'settled')
  return reply
end

-- It fails for good without another attempt, for the reason in `t.r`.
local function give_up(run, i, t, node, freed)
  local out, task_count = new_outcome(), tonumber(status_of(run)[TASKS])
  fail_task(run, i, t, node, task_count, out)
  -- The worker adds these jobs; if it dies before, the sweeper does.
  if adds_jobs then
    for _, j in ipairs(out.ready) do call('ZADD', run_key(run, 'outbox'), NOW, j) end
  end
  tell(run, out, i)
  stop_on_failure(run, t, task_count, freed)
  grant_later(freed)
  close_run(run)
  return settled('failed', outbox_entries(run, out.ready))
end

-- Who needs the task, where those are few: so `settle` can read them together with the task.
local function hint_of(dependents)
  return dependents and #dependents <= MOST_HINTED and dependents or ''
end

local function claim(run, i, token, worker, ttl, is_alone, bull_attempts, is_pressed, job)
  if not is_run_id(run) or not tonumber(i) then return { 'gone' } end
  local h, record_of = run_hash(run), 't' .. i
  local found = look(h, { i, record_of, 'f' .. i, 'd' .. i, 'context', 'status' })
  local text, record, def, dependents, context = unpack(found)
  h[record_of] = record
  local m, id, hash = match(text or '', NODE_NAME)
  local status = status_of(run, found[6])
  local state = status[STATE]
  -- A node that is gone or damaged; a run that is only staged has no state, a gate no master.
  if not m or not state or m == '' then return { 'gone' } end
  -- Whoever can add a job could name any task in it; only the job that planq itself makes for a task may start it.
  if job ~= '' and job ~= 'master-' .. m .. '/' .. run .. '.' .. id then return { 'foreign' } end
  local member, limits = run .. '|' .. i, limits_in(text)

  -- Most tasks come here when nothing has happened to them but that they are ready; `t` is nil then.
  local t, node
  if record ~= READY or is_final(state) or something_is_held() then
    t, node = load_task(run, i), parse_node(text)
    if t.s == 'running' then
      if t.k == token then
        return { 'run', def or cjson.null, t.a, context or cjson.null, t.u or 0, hint_of(dependents) }
      end
      local expires = lease_of(member)
      if expires and expires > NOW then return { 'later', expires - NOW } end
      -- The worker that had it is gone, and so (guardian lease < lock <= this lease) is its agent.
      local freed = {}
      release(run, member, limits, freed)
      t.c = (t.c or 0) + 1
      t.lk, t.k = t.k, nil
      event(run, 'task-rescued', 'task', i, 'attempt', t.a, 'worker', t.w or '', 'crashes', t.c)
      if t.c >= GUILTY then
        t.r = 'stopped 3 workers'
        return give_up(run, i, t, node, freed)
      end
      if state == 'cancelled' then
        move(run, t, 'cancelled', false)
        t.f = NOW
        save_task(run, i, t)
        event(run, 'task-cancelled', 'task', i, 'attempt', t.a)
        grant_later(freed)
        close_run(run)
        return { 'final', state }
      end
      move(run, t, 'ready', false)
      save_task(run, i, t)
      -- Whoever stood in line for it comes first; this task stands in line like any other.
      grant_later(freed)
    end

    -- BullMQ counts an attempt when a job fails there, so a higher count than at our last claim means that it had failed;
    -- without that, it is only here again because a worker died before it could let it fail.
    if t.s == 'failed' and state ~= 'cancelled' and is_pressed and bull_attempts > (t.m or 0) then return { 'again' } end
    if state == 'cancelled' or state == 'completed' or state == 'failed' then return { 'final', state } end
    if t.s == 'pending' then return { 'later', 5000 } end
    if t.s ~= 'ready' and t.s ~= 'parked' then
      return settled(t.s, outbox_entries(run, call('ZRANGE', run_key(run, 'outbox'), 0, 499)))
    end
    if t.ap == 1 then return { 'later', 3600000 } end
    if t.n and t.n > NOW + 50 then return { 'later', t.n - NOW } end

    -- Held by a person: everything, this master, this run. It stands in that hold's line until the hold is lifted.
    if something_is_held() then
      for _, name in ipairs({ 'all', 'master:' .. m, 'run:' .. run }) do
        if hexists(HOLDS, name) == 1 then
          local was = t.s
          if t.g then
            local freed = {}
            release(run, member, limits, freed)
            t.g = nil
            grant_later(freed)
          end
          leave_lines(member, t)
          enter_line('hold:' .. name, node.o, line_entry(member))
          t.wq = { 'hold:' .. name }
          t.r = 'paused'
          move(run, t, 'parked', false)
          save_task(run, i, t)
          if was ~= 'parked' then event(run, 'task-parked', 'task', i, 'reason', t.r) end
          return { 'parked', t.r }
        end
      end
    end
  end

  -- The definition as it was submitted, or nothing: what changed it was not planq.
  if hash ~= '' and (not def or redis.sha1hex(def) ~= hash) then
    local freed = {}
    t, node = t or load_task(run, i), parse_node(text)
    if t.g then release(run, member, limits, freed) end
    leave_lines(member, t)
    t.g, t.n, t.r = nil, nil, 'its definition in Redis is not the one that was submitted'
    return give_up(run, i, t, node, freed)
  end
  if t and (t.c or 0) >= SUSPECT and not is_alone then return { 'suspect', t.c } end

  if t and t.g and lease_of(member) then
    put(LEASES, member, NOW + ttl)
  else
    local place = someone_waits() and parse_node(text).o
    local short = shortage(run, limits, place, member)
    if short then
      t = t or load_task(run, i)
      stand_in_line(member, t, short, place or parse_node(text).o)
      local was = t.s
      move(run, t, 'parked', false)
      t.g = nil
      t.r = 'waiting for ' .. limit_names(t.wq)
      save_task(run, i, t)
      if was ~= 'parked' then event(run, 'task-parked', 'task', i, 'reason', t.r) end
      return { 'parked', t.r }
    end
    if t then leave_lines(member, t) end
    acquire(run, member, limits, ttl)
  end

  if t then move(run, t, 'running', false) else recount(run, COUNTS.ready, COUNTS.running) end
  local attempt = t and (t.z or 0) + (t.u or 0) + 1 or 1
  if not (t and t.b0) and bull_attempts == 0 and is_plain(worker) and not find(token, '[%c"\\]') then
    save_started(run, i, token, worker, text_of(attempt))
  else
    -- All that an attempt begins with; what the one before left (reason, exit code, end …) goes.
    local now = { s = 'running', k = token, w = worker, st = NOW, b0 = t and t.b0 or NOW, a = attempt }
    if t and t.b0 then now.lk, now.u, now.z, now.c, now.tol, now.b = t.lk, t.u, t.z, t.c, t.tol, t.b end
    if bull_attempts > 0 then now.m = bull_attempts end
    save_task(run, i, now)
  end
  if status[HAS_BEGUN] == '0' then
    set_status(run, HAS_BEGUN, '1')
    put(run_hash(run), 'startedAt', NOW)
    event(run, 'run-started')
  end
  if is_plain(worker) then
    told[#told + 1] = run .. '\ttask-started\ttask\t' .. i .. '\tattempt\t' .. text_of(attempt) .. '\tworker\t' .. worker
  else
    event(run, 'task-started', 'task', i, 'attempt', attempt, 'worker', worker)
  end
  return { 'run', def or cjson.null, attempt, context or cjson.null, t and t.u or 0, hint_of(dependents) }
end

-- As an argument list: those after the first `at`.
local function claim_by(args, at)
  local run, i, token, worker, ttl, alone, attempts, pressed, job = unpack(args, at + 1, at + 9)
  return claim(run, i, token, worker, tonumber(ttl), alone == '1', tonumber(attempts or '0'), pressed == '1', job or '')
end
