-- What a run or stage job waits for, in one look at BullMQ and the record: a hundred at most, drawn by chance. Reads only.
-- ARGV: run, job id of the parent, dependency keys to look at ('' = draw some)
-- Returns {state of the parent's job, state of the run ('' = no record), number of dependencies, then per dependency: key,
-- state of its job, run that it names ('' = not ours), index of its task ('' = none), state of that task, '1' if tolerated}
local run, id = ARGV[1], ARGV[2]
local key = B .. ':runs:' .. id .. ':dependencies'
local deps
if ARGV[3] ~= '' then
  deps = {}
  for at = 3, #ARGV do
    if call('SISMEMBER', key, ARGV[at]) == 1 then deps[#deps + 1] = ARGV[at] end
  end
else
  deps = call('SRANDMEMBER', key, 100)
end
local reply = { job_state('runs', id), status_of(run)[STATE] or '', call('SCARD', key) }
for _, dep in ipairs(deps) do
  local queue, job = match(dep, '^(.*):([^:]*)$')
  local ours = queue and sub(queue, 1, #B + 1) == B .. ':' and sub(queue, #B + 2)
  local its_run, index, task, tolerated = '', '', '', ''
  local is = ours and job_state(ours, job) or call('EXISTS', dep) == 1 and 'elsewhere' or 'absent'
  if ours then
    local ok, data = pcall(decode, hget(hash_at(dep), 'data') or '')
    if ok and type(data) == 'table' and type(data.run) == 'string' then
      its_run = data.run
      -- Any other is not ours, and may name anything.
      if its_run == run and type(data.i) == 'number' then
        index = format('%d', data.i)
        local t = load_task(its_run, index)
        task, tolerated = t.s, t.tol and '1' or ''
      end
    end
  end
  for _, word in ipairs({ dep, is, its_run, index, task, tolerated }) do reply[#reply + 1] = word end
end
return reply
