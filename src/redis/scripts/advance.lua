-- One turn of a worker for several jobs at once: settles what they did, completes them in BullMQ, takes the next ones and
-- claims their tasks. So a task costs one round trip, and what its settling, its job's end and the next claim have in common
-- is read and written once.
-- ARGV: nonce, lane, worker, lease ms, lock ms, the calls as JSON: of each a list of
--       queue, job to complete ('' = none), lock, its return value, token for the claim of the next one ('' = take none),
--       key of the job's parent ('' = BullMQ's own script completes it), attempts that BullMQ has counted of it,
--       and, to settle first, the arguments of `settle`
-- Returns, as JSON, for each call {settle's answer or '', '1' = the job was completed, next}, or {'error', text} when nothing of
-- it was done. next: '' = not asked for | 'none' | 'ask' = by BullMQ's own script | 'again' = this call was long enough |
-- {id, claim's answer or '', fields} | of a job that was never taken before {id, claim's answer, index of its task, key of its
-- parent, ms when it was added, ms now}. A job whose task has to wait in a line is put aside here, and the next one taken.
-- As one text each way the calls cost Redis as much as lists of its protocol would, and the worker far less.
--
-- An answer that is lost with its connection is asked for again, with the same nonce. So what cannot be done twice is kept
-- for each lane of a worker: which jobs were completed, which were taken.
local NONCE, WORKER, LEASE_MS, LOCK_MS, TURNS = ARGV[1], ARGV[3], tonumber(ARGV[4]), ARGV[5], decode(ARGV[6])
-- Of what a call says, the arguments of `settle` are those after these.
local OWN_WORDS = 7
local TURN = B .. ':turn:' .. WORKER .. ':' .. ARGV[2]
-- What is kept of this call begins with it.
local MINE = NONCE .. ' '
local KEPT_MS = 600000
-- So many jobs are put aside in one call; more would keep every other client waiting.
local MOST_PARKED = 50

-- Whether the job may be completed by what `settle` answered: the task is completed and all that it lets go is in BullMQ.
local function is_completed(answer)
  if type(answer) == 'string' then return true end
  local grants_at = 6 + answer[5]
  return (answer[1] == 'settled' or answer[1] == 'already') and answer[2] == 'completed' and #answer == grants_at + answer[grants_at]
end

-- What is not as planq writes it is for the worker to refuse.
local function claim_taken(queue, id, job, token)
  if not job.run or job.defa then return '' end
  local attempts, is_pressed = tonumber(job.atm or '0'), (job.reason or '') == ''
  return one_call(claim, job.run, job.i, token, WORKER, LEASE_MS, false, attempts, is_pressed, queue .. '/' .. id)
end

local function told(id, answer, job)
  if job.flat then return { id, answer, job.flat } end
  return { id, answer, job.i, job.parent, job.timestamp, NOW_TEXT }
end

-- Gives each of the calls a job that it can perform, as long as there are some.
local function give_jobs(queue, calls, taken, replies)
  local q, at, parked = queue_of(queue), 1, 0
  local rest = 'again'
  while calls[at] and parked < MOST_PARKED do
    local wanted = #calls - at + 1
    local ids, is_more = take_jobs(q, wanted)
    for _, id in ipairs(ids) do
      local turn = calls[at]
      local job = read_job(q, id)
      local answer = claim_taken(queue, id, job, turn.token)
      if answer ~= '' and answer[1] == 'parked' then
        park_job(q, id)
        parked = parked + 1
      else
        activate_job(q, id, job, turn.lock, LOCK_MS)
        taken[turn.at] = id
        replies[turn.at][3] = told(id, answer, job)
        at = at + 1
      end
    end
    if #ids < wanted then
      rest = is_more and 'ask' or 'none'
      break
    end
  end
  for left = at, #calls do replies[calls[left].at][3] = rest end
end

-- The answers that were lost. A job that is no longer this worker's is left alone.
local function give_again(queue, calls, taken, replies)
  local q = queue_of(queue)
  for _, turn in ipairs(calls) do
    local id = taken[turn.at]
    if id and call('GET', q.prefix .. id .. ':lock') == turn.lock then
      local job = read_job(q, id)
      replies[turn.at][3] = told(id, claim_taken(queue, id, job, turn.token), job)
    else
      replies[turn.at][3] = 'ask'
    end
  end
end

-- The locks and leases that all the calls look at, in one command each.
local function read_ahead()
  local keys, members = {}, {}
  for at = 1, #TURNS do
    local turn = TURNS[at]
    if turn[2] ~= '' then keys[#keys + 1] = queue_of(turn[1]).prefix .. turn[2] .. ':lock' end
    if turn[8] then members[#members + 1] = turn[8] .. '|' .. turn[9] end
  end
  read_locks(keys)
  read_leases(members)
end

local function advance()
  local kept = call('GET', TURN)
  local before = kept and sub(kept, 1, #MINE) == MINE and cmsgpack.unpack(sub(kept, #MINE + 1))
  local now, replies, wanted = { done = {}, taken = {} }, {}, {}

  read_ahead()
  local function settle_and_complete(number, turn)
    local answer, is_done = '', false
    local queue, job, lock, value, _, parent, attempts = unpack(turn, 1, OWN_WORDS)
    if #turn > OWN_WORDS then answer = settle(turn, OWN_WORDS) end
    if before and before.done[number] then
      is_done = true
    elseif job ~= '' and is_completed(answer) then
      is_done = complete_job(queue_of(queue), job, lock, value, parent, attempts)
    end
    return { answer, is_done and '1' or '', '' }
  end

  for at = 1, #TURNS do
    local turn = TURNS[at]
    local queue, token = turn[1], turn[5]
    local reply = one_call(settle_and_complete, at, turn)
    replies[at] = reply
    if reply[2] == '1' then now.done[at] = true end
    -- Who has not completed its job will ask BullMQ's own script, and take the next one with that.
    if token ~= '' and reply[1] ~= 'error' and (turn[2] == '' or reply[2] == '1') then
      local calls = wanted[queue] or {}
      wanted[queue] = calls
      calls[#calls + 1] = { at = at, lock = turn[3], token = token }
    end
  end
  write_completed()
  write_prioritized()

  for queue, calls in pairs(wanted) do
    if before then
      for _, turn in ipairs(calls) do now.taken[turn.at] = before.taken[turn.at] end
      give_again(queue, calls, now.taken, replies)
    else
      give_jobs(queue, calls, now.taken, replies)
    end
  end
  write_taken()
  call('SET', TURN, MINE .. cmsgpack.pack(now), 'PX', KEPT_MS)
  return replies
end

-- JSON has no word for what a damaged record may have instead of a number.
local function without_odd_numbers(value)
  if type(value) == 'number' then return value - value == 0 and value or 0 end
  if type(value) ~= 'table' then return value end
  for key, part in pairs(value) do value[key] = without_odd_numbers(part) end
  return value
end

-- To be called when all is written.
local function in_json(replies)
  local is_done, text = pcall(encode, replies)
  return is_done and text or encode(without_odd_numbers(replies))
end
