-- Stores what a running attempt tells of itself; refused for an attempt that has lost its token.
-- ARGV: run, index, token, kind (progress | warning | spawned), percent or pid ('' = none), message ('' = none)
local run, i = ARGV[1], ARGV[2]
local t = load_task(run, i)
if t.s ~= 'running' or t.k ~= ARGV[3] then return 0 end
if ARGV[4] == 'spawned' then
  t.pid = tonumber(ARGV[5])
  save_task(run, i, t)
elseif ARGV[4] == 'warning' then
  event(run, 'task-warning', 'task', i, 'attempt', t.a, 'message', ARGV[6])
else
  if ARGV[5] ~= '' then
    t.p = tonumber(ARGV[5])
    save_task(run, i, t)
  end
  event(run, 'task-progress', 'task', i, 'attempt', t.a, 'percent', ARGV[5], 'message', ARGV[6])
end
return 1
