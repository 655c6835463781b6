-- Cancels a run: whatever has not ended is cancelled now; what is running is stopped by its worker, who settles it.
-- With undo also of a run that has ended: then it only asks for the undo.
-- ARGV: run, undo ('1' or ''). Returns {state before, number still running, undo ('' | asked | already | workspace), the undo
-- run or who has the workspace, number of grant words, grants…, then the indexes of tasks that may have a job in a queue}
local run, with_undo = ARGV[1], ARGV[2] == '1'
local status = status_of(run)
local state = status[STATE]
if not state then return { 'gone', 0, '', '', 0 } end
local running = count_of(run, 'running')
local undo, other = '', ''
if with_undo then
  undo, other = ask_undo(run)
  if undo == 'asked' then unshelve(run) end
end
if is_final(state) then return { state, running, undo, other, 0 } end
set_status(run, STATE, 'cancelled')
event(run, 'run-cancelling')
local freed, grants, queued = {}, {}, {}
cancel_rest(run, tonumber(status[TASKS]), freed, queued)
grant_waiters(freed, grants)
close_run(run)
local reply = { state, running, undo, other, #grants }
for _, word in ipairs(grants) do reply[#reply + 1] = word end
for _, i in ipairs(queued) do reply[#reply + 1] = i end
return reply
