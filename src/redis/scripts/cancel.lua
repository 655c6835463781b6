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
local freed, grants, queued = {}, {}, {}
cancel_rest(run, tonumber(m[2]), freed, queued)
grant_waiters(freed, grants)
close_run(run)
local reply = { state, running, #grants }
for _, word in ipairs(grants) do reply[#reply + 1] = word end
for _, i in ipairs(queued) do reply[#reply + 1] = i end
return reply
