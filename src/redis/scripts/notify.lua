-- One receiver of notifications: who tells it (a lease), and up to which event it has been told (a cursor).
-- ARGV: receiver, holder ('' = only look, and begin a cursor), ms of the lease (0 = give it back), cursor ('' = as it is);
--       of a notification that was given up: run, type, receiver's name, reason
-- Returns {'held' | 'taken' (somebody else has it) | 'free', cursor}
local KEEP = 30 * 24 * 3600 * 1000
local receiver, holder = hash_at(B .. ':notify:' .. ARGV[1]), ARGV[2]
local m = hmget(receiver, 'cursor', 'holder', 'until')
local cursor = m[1]
if not cursor then
  -- A receiver that is new is not told what was before it.
  local last = call('XREVRANGE', B .. ':events', '+', '-', 'COUNT', 1)
  cursor = last[1] and last[1][1] or '0-0'
  hset(receiver, 'cursor', cursor)
end
call('PEXPIRE', key_of[receiver], KEEP)
local is_others = m[2] and m[2] ~= '' and m[2] ~= holder and tonumber(m[3]) > NOW
if holder == '' then return { 'free', cursor } end
if is_others then return { 'taken', cursor } end

local function is_after(a, b)
  local a_ms, a_number = match(a, '^(%d+)-(%d+)$')
  local b_ms, b_number = match(b, '^(%d+)-(%d+)$')
  if a_ms ~= b_ms then return tonumber(a_ms) > tonumber(b_ms) end
  return tonumber(a_number) > tonumber(b_number)
end

-- Whoever comes back late, after others had the lease, does not turn the cursor back.
if ARGV[4] ~= '' and is_after(ARGV[4], cursor) then
  cursor = ARGV[4]
  hset(receiver, 'cursor', cursor)
end
if ARGV[5] then event(ARGV[5], 'notify-failed', 'notify', ARGV[6], 'to', ARGV[7], 'reason', ARGV[8]) end
if tonumber(ARGV[3]) == 0 then
  hdel(receiver, 'holder', 'until')
  return { 'free', cursor }
end
hset(receiver, 'holder', holder, 'until', NOW + tonumber(ARGV[3]))
return { 'held', cursor }
