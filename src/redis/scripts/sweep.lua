-- Finds what nobody looks after any more, at most 100 of each: leases that ran out, and outbox entries that were never
-- added to BullMQ. ARGV: age ms after which an outbox entry counts as forgotten, how many live runs to look at.
-- Returns {number of grants, grants…, then per run: run, number of entries × 2, entries…}
local age, pages = tonumber(ARGV[1]), tonumber(ARGV[2])
local freed, grants, reply = {}, {}, {}
for _, member in ipairs(call('ZRANGEBYSCORE', LEASES_KEY, '-inf', NOW, 'LIMIT', 0, 100)) do
  local run, i = match(member, '^(.*)|(%d+)$')
  local state, task_count = read_size(run)
  if not state or hexists(run_hash(run), i) == 0 then
    -- What it took is not known any more; the audit of the limits gives it back.
    call('ZREM', LEASES_KEY, member)
  else
    local t, node, limits = load_task(run, i), load_node(run, i), limits_at(run, i)
    release(run, member, limits, freed)
    if t.s == 'running' then
      t.c = (t.c or 0) + 1
      t.lk, t.k = t.k, nil
      event(run, 'task-rescued', 'task', i, 'attempt', t.a, 'worker', t.w or '', 'crashes', t.c)
      local out = new_outcome()
      if state == 'cancelled' then
        move(run, t, 'cancelled', false)
        t.f = NOW
        save_task(run, i, t)
        event(run, 'task-cancelled', 'task', i, 'attempt', t.a)
      elseif t.c >= 3 then
        t.r = 'stopped 3 workers'
        fail_task(run, i, t, node, task_count, out)
      else
        move(run, t, 'ready', false)
        save_task(run, i, t)
        call('ZADD', run_key(run, 'outbox'), NOW - age, i)
      end
      tell(run, out, i)
      close_run(run)
    elseif t.g then
      -- Granted, but its job never came back for it: stand in line again, at the same place.
      local limit = limit_key(run, limits, 1)
      t.g = nil
      enter_line(limit, node.o, line_entry(member))
      keep_lines({ limit })
      t.wq = { limit }
      save_task(run, i, t)
    end
  end
end
-- What was free all along but was not handed on (a crash between two steps) is handed on here.
for _, limit in ipairs(call('SMEMBERS', LINES)) do
  if call('EXISTS', waiters_key(limit)) == 1 then
    freed[limit] = true
  else
    call('SREM', LINES, limit)
    known_lines[limit] = nil
  end
end
grant_waiters(freed, grants)
for _, member in ipairs(call('SPOP', B .. ':wake', 100)) do
  local run, i = match(member, '^(.*)|(%d+)$')
  local node = hget(run_hash(run), i)
  if node then
    grants[#grants + 1] = member
    grants[#grants + 1] = node
  end
end
reply[1] = #grants
for _, member in ipairs(grants) do reply[#reply + 1] = member end
for _, run in ipairs(call('SRANDMEMBER', B .. ':live', pages)) do
  local due = call('ZRANGEBYSCORE', run_key(run, 'outbox'), '-inf', NOW - age, 'LIMIT', 0, 100)
  if #due > 0 then
    local entries = outbox_entries(run, due)
    reply[#reply + 1] = run
    reply[#reply + 1] = #entries
    for _, value in ipairs(entries) do reply[#reply + 1] = value end
  end
end
return reply
