-- Takes entries out of a run's outbox whose jobs BullMQ really has; an insert can succeed and leave nothing behind.
-- ARGV: run, then index, job key per entry. Returns the indexes whose job is missing.
local run, missing = ARGV[1], {}
for at = 2, #ARGV, 2 do
  if call('EXISTS', ARGV[at + 1]) == 1 then
    call('ZREM', run_key(run, 'outbox'), ARGV[at])
  else
    missing[#missing + 1] = ARGV[at]
  end
end
return missing
