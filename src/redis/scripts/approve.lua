-- Approves or rejects what waits for a person: a task before it starts, or a gate before it opens.
-- ARGV: run, node index, verdict ('approve' or 'reject'), JSON of who, when and the comment, reason for a rejection
-- Returns {status, outbox…}; status: done | gone | not-waiting
local run, i = ARGV[1], ARGV[2]
local state, task_count, node_count = read_size(run)
if not state then return { 'gone' } end
local is_gate = tonumber(i) >= task_count
local t = load_task(run, i)
local approve = ARGV[3] == 'approve'
-- A gate that was rejected can be approved after all; a rejected task is retried or skipped instead.
local again = approve and is_gate and t.s == 'failed'
if not again and (t.s ~= 'parked' or t.ap ~= 1) then return { 'not-waiting', t.s } end
hset(run_hash(run, 'decisions'), i, ARGV[4])
if not again then count(run, is_gate and 'gated' or 'approval', -1) end
if state == 'blocked' then set_status(run, STATE, awake_state(run)) end
local out, work = new_outcome(), {}
if approve then
  t.ap, t.r, t.n, t.f = 2, nil, nil, nil
  move(run, t, 'pending', is_gate)
  save_task(run, i, t)
  event(run, 'approved', 'tasks', i)
  if again then
    recompute(run, task_count, node_count, out)
  else
    open_node(run, i, t, task_count, work, out)
    propagate(run, task_count, work, out)
  end
  tell(run, out)
else
  t.ap, t.n = nil, nil
  t.r = ARGV[5]
  event(run, 'rejected', 'tasks', i)
  if is_gate then
    move(run, t, 'failed', true)
    t.f = NOW
    save_task(run, i, t)
    propagate(run, task_count, { { i = i, s = 'failed', roots = { tonumber(i) } } }, out)
  else
    fail_task(run, i, t, load_node(run, i), task_count, out)
    stop_on_failure(run, t, task_count, {})
  end
  tell(run, out, i)
end
close_run(run)
local reply = outbox_entries(run, out.ready)
table.insert(reply, 1, 'done')
return reply
