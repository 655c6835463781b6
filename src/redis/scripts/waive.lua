-- Ends the wish for an undo where nothing that completed has one. ARGV: run. Returns {1 when it was wanted, else 0}
local run = ARGV[1]
if call('ZREM', UNDO, run) == 0 then return { 0 } end
hset(run_hash(run), 'undo', 'nothing')
event(run, 'undo-nothing')
if call('SISMEMBER', B .. ':live', run) == 0 then free_workspace(run, hget(run_hash(run), 'workspace')) end
if not call('ZSCORE', B .. ':ended', run) then shelve(run) end
return { 1 }
