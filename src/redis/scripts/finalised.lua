-- ARGV: run whose report is written
finalise(ARGV[1])
return {}
