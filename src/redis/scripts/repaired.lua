-- Tells of a repair that was made in BullMQ. ARGV: run ('' = none), what, index of its task ('' = none), count ('' = none), name
event(ARGV[1], 'repaired', 'what', ARGV[2], 'task', ARGV[3], 'count', ARGV[4], 'name', ARGV[5])
return {}
