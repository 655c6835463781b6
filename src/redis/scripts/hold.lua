-- Pauses or resumes: everything ('all'), a master ('master:<name>') or a run ('run:<id>'). What runs goes on; nothing new
-- starts. ARGV: name, on ('1' or ''), JSON of who, when and why
-- Returns {was on before (0 or 1), jobs to wake: "run|index", node, …}, at most 500; call again while there are some
local name, on = ARGV[1], ARGV[2] == '1'
local was = hexists(hash_at(B .. ':holds'), name)
local run = match(name, '^run:(.*)$')
if on then
  hset(hash_at(B .. ':holds'), name, ARGV[3])
  if run and status_of(run)[STATE] == 'running' then
    set_status(run, STATE, 'paused')
    event(run, 'run-paused')
  end
  return { was }
end
hdel(hash_at(B .. ':holds'), name)
if run and status_of(run)[STATE] == 'paused' then
  set_status(run, STATE, 'running')
  event(run, 'run-unpaused')
end
local reply = { was }
for _, entry in ipairs(call('ZRANGE', waiters_key('hold:' .. name), 0, 499)) do
  leave_line('hold:' .. name, entry)
  local its_run, i = match(entry, LINE_ENTRY)
  local t = load_task(its_run, i)
  if t.s == 'parked' and t.wq and t.wq[1] == 'hold:' .. name then
    t.wq, t.r = nil, nil
    move(its_run, t, 'ready', false)
    save_task(its_run, i, t)
    reply[#reply + 1] = its_run .. '|' .. i
    reply[#reply + 1] = hget(run_hash(its_run), i)
  end
end
return reply
