-- Notes that a master has waiting jobs and no worker, or that it is served; told once until that changes.
-- ARGV: master, number of waiting jobs (0 = served, or nothing waits). Returns {1 when it was told now, else 0}
local key = B .. ':unserved'
if ARGV[2] == '0' then
  call('SREM', key, ARGV[1])
  return { 0 }
end
if call('SADD', key, ARGV[1]) == 0 then return { 0 } end
event('', 'no-worker', 'master', ARGV[1], 'count', ARGV[2])
return { 1 }
