-- The report of an ended run is written; from now on the keep rules count it. ARGV: run
-- The end of an undo run lets the keep rules see the run that it has undone.
local run = ARGV[1]
redis.call('ZREM', B .. ':ended', run)
shelve(run)
local origin = redis.call('HGET', run_key(run), 'undoOf')
if origin and not redis.call('ZSCORE', B .. ':ended', origin) then shelve(origin) end
return {}
