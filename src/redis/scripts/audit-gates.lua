-- A gate that has opened had everything before it settled. Gates open in the call that settles the last of these, so
-- anything else is damage. A retry or a skip makes earlier tasks move again behind an open gate, so runs that had one are
-- not judged. A gate whose dependents have not moved is closed again and all that waits is worked out anew; else it is
-- only told: what has begun is not taken back.
-- ARGV: run, most nodes to look at. Returns {number of outbox words, outbox…, then per finding: gate, closed | told}
local run, most = ARGV[1], tonumber(ARGV[2])
local state, task_count, node_count = read_size(run)
if not state or is_final(state) or not task_count or node_count == task_count or node_count > most then return { 0 } end
local open = { pending = true, ready = true, running = true, parked = true }
local function indexes(text) return gmatch(text or '', '(%d+)%a') end
local early = {}
for i = task_count, node_count - 1 do
  if load_task(run, i).s == 'completed' then
    for from in indexes(hget(run_hash(run, 'needs'), i)) do
      if open[load_task(run, from).s] then
        early[#early + 1] = i
        break
      end
    end
  end
end
if #early == 0 then return { 0 } end
for i = 0, task_count - 1 do
  local t = load_task(run, i)
  if t.z or (t.s == 'skipped' and t.tol) then return { 0 } end
end
if call('EXISTS', run_key(run, 'decisions')) == 1 then return { 0 } end
local found, is_closed = {}, false
for _, i in ipairs(early) do
  local has_moved = false
  for j in indexes(dependents_of(run, i)) do
    local state = load_task(run, j).s
    if state ~= 'pending' and state ~= 'blocked' then has_moved = true end
  end
  if not has_moved then
    is_closed = true
    save_task(run, i, { s = 'pending' })
    event(run, 'repaired', 'what', 'gate', 'task', i)
  end
  found[#found + 1] = i
  found[#found + 1] = has_moved and 'told' or 'closed'
end
local out = new_outcome()
if is_closed then
  recompute(run, task_count, node_count, out)
  tell(run, out)
  if state == 'blocked' then set_status(run, STATE, awake_state(run)) end
  close_run(run)
end
local reply = outbox_entries(run, out.ready)
table.insert(reply, 1, #reply)
for _, word in ipairs(found) do reply[#reply + 1] = word end
return reply
