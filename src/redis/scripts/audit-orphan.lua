-- A job's hash, by its data one of ours, that stands in none of its queue's sets, of a run that no record knows: nobody will ever see it.
-- ARGV: queue, job id, run, '1' = remove it. Returns {1 when it is one (and was removed, if wanted), else 0}
local queue, id, run = ARGV[1], ARGV[2], ARGV[3]
if call('EXISTS', run_key(run)) == 1 or job_state(queue, id) ~= 'nowhere' then return { 0 } end
local key = B .. ':' .. queue .. ':' .. id
local ok, data = pcall(decode, hget(hash_at(key), 'data') or '')
if not ok or type(data) ~= 'table' or data.v ~= 1 or data.run ~= run then return { 0 } end
if call('EXISTS', key .. ':lock') == 1 then return { 0 } end
if ARGV[4] == '1' then
  for _, part in ipairs({ '', ':logs', ':dependencies', ':processed', ':failed', ':unsuccessful' }) do
    call('UNLINK', key .. part)
  end
  event('', 'repaired', 'what', 'orphan', 'name', id)
end
return { 1 }
