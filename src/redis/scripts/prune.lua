-- Removes the record of a run that has ended long enough ago: all its parts, its idempotency key, its place in the lists.
-- Its jobs and the tails of its tasks are removed before. ARGV: run, epoch ms by which it must have ended
-- Returns {status}: pruned | gone | kept (it goes on, it ended later, its undo is not over, or its status cannot be read)
local run, before = ARGV[1], tonumber(ARGV[2])
local m = hmget(run_hash(run), 'finishedAt', 'key', 'status')
local state = status_of(run)[STATE]
if state then
  local has_ended = is_final(state) and m[1] and tonumber(m[1]) <= before and count_of(run, 'running') == 0
  if not has_ended or is_undoing(run) then return { 'kept' } end
elseif m[3] and not status_of(run)[TASKS] then
  return { 'kept' }
end
if m[2] and m[2] ~= '' and hget(hash_at(B .. ':keys'), m[2]) == run then hdel(hash_at(B .. ':keys'), m[2]) end
call('UNLINK', run_key(run))
for _, part in ipairs({ 'needs', 'skip', 'plan', 'out', 'outbox', 'approvals', 'decisions' }) do
  call('UNLINK', run_key(run, part))
end
hdel(hash_at(B .. ':holds'), 'run:' .. run)
call('UNLINK', waiters_key('hold:run:' .. run))
call('ZREM', B .. ':runs', run)
call('ZREM', B .. ':ended', run)
call('SREM', B .. ':live', run)
call('ZREM', UNDO, run)
unshelve(run)
return { state and 'pruned' or 'gone' }
