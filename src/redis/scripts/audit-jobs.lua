-- Which tasks should have a job on its way and have none, in one look at the record and at BullMQ: the job is gone, has
-- ended, or stands in none of its queue's sets. Reads only.
-- ARGV: run, '1' = also what is in the outbox, which may still be being added, indexes. Returns per finding: index, node, gone | ended | nowhere
local run, reply = ARGV[1], {}
local state = status_of(run)[STATE]
if not state or is_final(state) then return {} end
for at = 3, #ARGV do
  local i = ARGV[at]
  local t, node = load_task(run, i), hget(run_hash(run), i)
  local needs_job = t.s == 'ready' or (t.s == 'parked' and t.ap ~= 1)
  if needs_job and node and (ARGV[2] == '1' or not call('ZSCORE', run_key(run, 'outbox'), i)) then
    local n = parse_node(node)
    local is = job_state('master-' .. n.m, run .. '.' .. n.id)
    if is == 'absent' or is == 'completed' or is == 'failed' or is == 'nowhere' then
      local word = is == 'absent' and 'gone' or is == 'nowhere' and 'nowhere' or 'ended'
      for _, value in ipairs({ i, node, word }) do reply[#reply + 1] = value end
    end
  end
end
return reply
