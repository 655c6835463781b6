-- Makes a staged run visible: its hashes were written before under its id, with an expiry. Marks the roots ready.
-- Refuses a second run under the same idempotency key and a workspace that a live run uses. The undo of a run (`undoOf`)
-- takes that run's place in the workspace; there is one at most, and none that nobody asked for.
-- ARGV: run, key ('' = none), plan hash, workspace, roots (comma separated), cap name, cap value, … (resource capacities)
-- Returns: {'submitted', outbox…} | {'exists', run, hash} | {'workspace', run}
local run, key, hash, workspace = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local parts = { 'needs', 'plan', 'approvals' }
local function discard()
  call('DEL', run_key(run))
  for _, part in ipairs(parts) do call('DEL', run_key(run, part)) end
end
if key ~= '' then
  local other = hget(hash_at(B .. ':keys'), key)
  if other and call('EXISTS', run_key(other)) == 1 then
    discard()
    return { 'exists', other, hget(run_hash(other), 'hash') or '' }
  end
end
local origin = hget(run_hash(run), 'undoOf')
if origin and not call('ZSCORE', UNDO, origin) then
  discard()
  return { 'exists', hget(run_hash(origin), 'undoRun') or '', hash }
end
local holder = hget(hash_at(B .. ':workspaces'), workspace)
if holder and holder ~= run and holder ~= origin and holds_workspace(holder) then
  return { 'workspace', holder }
end
call('PERSIST', run_key(run))
for _, part in ipairs(parts) do call('PERSIST', run_key(run, part)) end
if key ~= '' then hset(hash_at(B .. ':keys'), key, run) end
hset(hash_at(B .. ':workspaces'), workspace, run)
set_status(run, STATE, 'running')
hset(run_hash(run), 'createdAt', NOW, 'workspace', workspace, 'hash', hash, 'key', key)
call('ZADD', B .. ':runs', NOW, run)
call('SADD', B .. ':live', run)
-- Workers say how many agents there may be; of a resource, whoever spoke last is right.
for at = 6, #ARGV, 2 do
  call(ARGV[at] == 'agents' and 'HSETNX' or 'HSET', key_of[CAPS], ARGV[at], ARGV[at + 1])
end
local roots = {}
local task_count = tonumber(status_of(run)[TASKS])
local out = new_outcome()
event(run, 'run-submitted', 'name', hget(run_hash(run), 'name'))
if origin then
  call('ZREM', UNDO, origin)
  hset(run_hash(origin), 'undo', 'submitted', 'undoRun', run)
  event(origin, 'undo-submitted', 'undoRun', run)
end
for i in gmatch(ARGV[5], '%d+') do
  open_node(run, i, { s = 'pending' }, task_count, {}, out)
end
tell(run, out)
close_run(run)
local reply = outbox_entries(run, out.ready)
table.insert(reply, 1, 'submitted')
return reply
