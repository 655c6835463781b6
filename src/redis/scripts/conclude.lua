-- What a run job or a stage job has to do, now that BullMQ says that its children are done. ARGV: run, group ('' = the run job)
-- Returns one of
--   {'done', state}     end the job; a run without files is final by this
--   {'report', state}   the run has ended: its undo and its report come first
--   {'wait', state}     it goes on: BullMQ was wrong, or the run is blocked
--   {'gone'}            no record knows this run
local function goes_on(state) return state == 'running' or state == 'paused' end

-- The arguments are those after the first `at`.
local function conclude(args, at)
  local run, group = args[at + 1], args[at + 2]
  if not is_run_id(run) then return { 'gone' } end
  local m, status = hmget(run_hash(run), 'gates', 'noFiles', 'status'), status_of(run)
  local state = status[STATE]
  if not state then return { 'gone' } end
  if group == '' then
    if goes_on(state) or state == 'blocked' then return { 'wait', state } end
    if not m[2] or wants_undo(run) then return { 'report', state } end
    finalise(run)
    return { 'done', state }
  end
  if not goes_on(state) then return { 'done', state } end
  local gate = decode(m[1] or '{}')[group]
  local is_over
  if gate then
    is_over = load_task(run, gate).s ~= 'pending'
  else
    is_over = status[COUNTS.pending] + status[COUNTS.ready] + status[COUNTS.running] + status[COUNTS.parked] == 0
  end
  return is_over and { 'done', 'completed' } or { 'wait', state }
end
