-- Skips a task that has not completed and is not running: its dependents go on as if it had completed.
-- ARGV: run, index, reason. Returns {status, state before, outbox…}; status: skipped | gone | state | ended
local run, i, reason = ARGV[1], ARGV[2], ARGV[3]
local state, task_count, node_count = read_size(run)
if not state then return { 'gone', '' } end
if is_final(state) then return { 'ended', state } end
local t = load_task(run, i)
local before = t.s
if before == 'running' or before == 'completed' or before == 'skipped' or before == 'cancelled' then
  return { 'state', before }
end
local member, freed = run .. '|' .. i, {}
leave_lines(member, t)
if t.g then release(run, member, limits_at(run, i), freed) end
if t.ap == 1 then count(run, 'approval', -1) end
if t.s == 'failed' and t.tol then count(run, 'tolerated', -1) end
call('ZREM', run_key(run, 'outbox'), i)
move(run, t, 'skipped', false)
t.g, t.n, t.ap, t.b = nil, nil, nil, nil
t.f, t.r, t.tol = NOW, reason, 1
save_task(run, i, t)
event(run, 'tasks-skipped', 'tasks', i)
local out = new_outcome()
if before == 'failed' or before == 'blocked' then
  recompute(run, task_count, node_count, out)
else
  propagate(run, task_count, { { i = i, s = 'skipped', tol = 1 } }, out)
end
if state == 'blocked' then set_status(run, STATE, awake_state(run)) end
tell(run, out)
close_run(run)
local reply = outbox_entries(run, out.ready)
table.insert(reply, 1, before)
table.insert(reply, 1, 'skipped')
return reply
