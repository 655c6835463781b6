-- Cancels a run: whatever has not ended is cancelled now; what is running is stopped by its worker, who settles it.
-- ARGV: run. Returns {state before, number still running, number of grant words, grants…, then the indexes of tasks that
-- may have a job in a queue}
local run = ARGV[1]
local m = redis.call('HMGET', run_key(run), 'state', 'tasks')
local state = m[1]
if not state then return { 'gone', 0, 0 } end
local running = tonumber(redis.call('HGET', run_key(run), 'n:running') or '0')
if state == 'cancelled' or state == 'completed' or state == 'failed' then return { state, running, 0 } end
redis.call('HSET', run_key(run), 'state', 'cancelled')
event(run, 'run-cancelling')
local freed, grants, cancelled, queued = {}, {}, {}, {}
for i = 0, tonumber(m[2]) - 1 do
  local t = load_task(run, i)
  if t.s == 'pending' or t.s == 'ready' or t.s == 'parked' or t.s == 'blocked' then
    local member = run .. '|' .. i
    leave_lines(member, t)
    if t.s == 'ready' or t.s == 'parked' then queued[#queued + 1] = i end
    if t.g then release(member, load_node(run, i).l, freed) end
    t.g, t.n = nil, nil
    move(run, t, 'cancelled', false)
    t.f = NOW
    save_task(run, i, t)
    cancelled[#cancelled + 1] = i
  elseif t.s == 'failed' then
    queued[#queued + 1] = i
  end
end
redis.call('DEL', run_key(run, 'outbox'))
for from = 1, #cancelled, 500 do
  event(run, 'tasks-cancelled', 'tasks', table.concat(cancelled, ',', from, math.min(from + 499, #cancelled)))
end
grant_waiters(freed, grants)
close_run(run)
local reply = { state, running, #grants }
for _, word in ipairs(grants) do reply[#reply + 1] = word end
for _, i in ipairs(queued) do reply[#reply + 1] = i end
return reply
