-- The counts of a run that has not ended must be those of its tasks' records, and what is in use of its own limits the sum of
-- their leases. Counted and repaired in this one call; then the run's state is looked at again, which follows from the counts.
-- ARGV: run, most tasks to count; a run with more is left alone.
-- Returns per repair: what (count | limit), name, was, is
local run, most = ARGV[1], tonumber(ARGV[2])
local state, task_count, node_count = read_size(run)
if not state or is_final(state) or not task_count or task_count > most then return {} end
local states = { 'ready', 'running', 'parked', 'completed', 'failed', 'blocked', 'skipped', 'cancelled' }
local PENDING, COMPLETED = { s = 'pending' }, { s = 'completed' }
local n, used = { approval = 0, tolerated = 0, gated = 0, pending = 0 }, {}
for name in pairs(own_use(run)) do used[name] = 0 end
for _, name in ipairs(states) do n[name] = 0 end
for from = 0, node_count - 1, 500 do
  local indexes, holders = {}, {}
  for i = from, math.min(from + 499, node_count - 1) do indexes[#indexes + 1] = i end
  local names = {}
  for at, i in ipairs(indexes) do names[at] = 't' .. i end
  -- Not kept: nothing else asks for so many.
  for at, text in ipairs(call('HMGET', run_key(run), unpack(names))) do
    local is_readable, t = true, PENDING
    if text and find(text, '"s":"completed"', 1, true) then
      -- Most of them; there is nothing else to be counted of such a task, and JSON takes long.
      t = COMPLETED
    elseif text then
      is_readable, t = pcall(decode, text)
    end
    local is_gate = indexes[at] >= task_count
    -- Nobody knows what it should be counted as.
    if not is_readable or not (is_gate or n[t.s]) then return {} end
    if is_gate then
      if t.s == 'parked' and t.ap == 1 then n.gated = n.gated + 1 end
    else
      n[t.s] = n[t.s] + 1
      if t.s == 'parked' and t.ap == 1 then n.approval = n.approval + 1 end
      if t.s == 'failed' and t.tol then n.tolerated = n.tolerated + 1 end
      if t.s == 'running' or t.g then holders[#holders + 1] = tostring(indexes[at]) end
    end
  end
  local members = {}
  for at, i in ipairs(holders) do members[at] = run .. '|' .. i end
  read_leases(members)
  if #holders > 0 then know(run_hash(run), holders) end
  for at, i in ipairs(holders) do
    local limits = lease_of(members[at]) and limits_at(run, i) or {}
    for k = 1, #limits, 3 do
      if limits[k + 2] then used[limits[k]] = (used[limits[k]] or 0) + limits[k + 1] end
    end
  end
end
local reply, freed = {}, {}
local function repaired(what, name, was, is)
  event(run, 'repaired', 'what', what, 'name', name, 'was', was, 'count', is)
  for _, word in ipairs({ what, name, was, is }) do reply[#reply + 1] = word end
end
for name, is in pairs(n) do
  local list, at = place_of(run, name)
  local was = tonumber(list[at]) or -1
  if was ~= is then
    set_count(run, name, is)
    repaired('count', name, was, is)
  end
end
for name, is in pairs(used) do
  local was = tonumber(own_use(run)[name]) or 0
  if was ~= is then
    local key = 'run:' .. run .. ':' .. name
    add_own_use(run, name, is - was)
    if was > is then freed[key] = true end
    repaired('limit', limit_name(key), was, is)
  end
end
grant_later(freed)
if #reply > 0 then
  if state == 'blocked' and n.ready + n.running + n.parked - n.approval > 0 then
    set_status(run, STATE, awake_state(run))
    event(run, 'run-resumed', 'tasks', '')
  end
  close_run(run)
end
return reply
