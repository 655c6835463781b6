-- Tells that a worker has pruned runs by the keep rules. ARGV: how many, worker
event('', 'runs-pruned', 'count', ARGV[1], 'worker', ARGV[2])
return {}
