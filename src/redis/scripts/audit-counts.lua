-- The counts of a run that has not ended must be those of its tasks' records. Counted and repaired in this one call; then
-- the run's state is looked at again, which follows from the counts.
-- ARGV: run, most tasks to count; a run with more is left alone.
-- Returns per repair: field, was, is
local run, most = ARGV[1], tonumber(ARGV[2])
local m = hmget(run_key(run), 'state', 'tasks', 'nodes')
local task_count, node_count = tonumber(m[2]), tonumber(m[3])
if not m[1] or is_final(m[1]) or not task_count or task_count > most then return {} end
local states = { 'ready', 'running', 'parked', 'completed', 'failed', 'blocked', 'skipped', 'cancelled' }
local n, found = { approval = 0, tolerated = 0, gated = 0, pending = 0 }, 0
for _, state in ipairs(states) do n[state] = 0 end
for from = 0, node_count - 1, 500 do
  local indexes = {}
  for i = from, math.min(from + 499, node_count - 1) do indexes[#indexes + 1] = i end
  for at, text in ipairs(hmget(run_key(run, 'tasks'), unpack(indexes))) do
    local t = text and decode(text) or { s = 'pending' }
    if indexes[at] >= task_count then
      if t.s == 'parked' and t.ap == 1 then n.gated = n.gated + 1 end
    else
      n[t.s] = (n[t.s] or 0) + 1
      if t.s == 'parked' and t.ap == 1 then n.approval = n.approval + 1 end
      if t.s == 'failed' and t.tol then n.tolerated = n.tolerated + 1 end
    end
  end
end
local reply = {}
for name, is in pairs(n) do
  local was = hget(run_key(run), 'n:' .. name)
  if (tonumber(was or '0') or -1) ~= is then
    hset(run_key(run), 'n:' .. name, is)
    event(run, 'repaired', 'what', 'count', 'name', name, 'was', was or 0, 'count', is)
    for _, word in ipairs({ name, was or '0', is }) do reply[#reply + 1] = word end
  end
end
if #reply > 0 then
  if m[1] == 'blocked' and n.ready + n.running + n.parked - n.approval > 0 then
    hset(run_key(run), 'state', awake_state(run))
    event(run, 'run-resumed', 'tasks', '')
  end
  close_run(run)
end
return reply
