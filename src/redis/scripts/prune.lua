-- Removes the record of a run that has ended long enough ago: all its parts, its idempotency key, its place in the lists.
-- Its jobs and the tails of its tasks are removed before. ARGV: run, epoch ms by which it must have ended
-- Returns {status}: pruned | gone | kept (it goes on, it ended later, or its undo is not over)
local run, before = ARGV[1], tonumber(ARGV[2])
local m = hmget(run_hash(run), 'state', 'finishedAt', 'key', 'n:running')
if m[1] then
  local has_ended = is_final(m[1]) and m[2] and tonumber(m[2]) <= before and tonumber(m[4] or '0') == 0
  if not has_ended or is_undoing(run) then return { 'kept' } end
end
if m[3] and m[3] ~= '' and hget(hash_at(B .. ':keys'), m[3]) == run then hdel(hash_at(B .. ':keys'), m[3]) end
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
return { m[1] and 'pruned' or 'gone' }
