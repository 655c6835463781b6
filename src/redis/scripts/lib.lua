-- Shared by every script: the task record, leases and waiters, and how an outcome spreads through the graph.
--
-- A run is one hash. Of each node it has, by a letter before the index: the node itself (no letter), its task's record (t), its
-- dependents (d), how many of its needs are open (o), its task's definition (f). Beside them stand the run's own fields (keys.ts
-- names them); `status` is what most claims and settles change (run-status.ts). A task's record is a small JSON (absent = pending):
--   s state · k attempt token · lk token of the last settled attempt · a number of this attempt · u attempts used
--   c crashes · w worker · b0 first start · st start · f end · r reason · x exit code · b failed tasks that block it
--   n not before (backoff) · wq lines it stands in · g granted a lease while it waited
--   tol tolerated failure, or skipped by a person: dependents go on · ap waits for approval, 2 = approved
--   m attempts that BullMQ counted at the claim · z attempts used before the last retry by a person · p percent · v outputs verified · pid process id of the agent

-- Jobs' data name runs, and anybody may have written them: the keys beside a run's hash begin with its id and a colon.
local function is_run_id(run)
  return not find(run, ':', 1, true)
end

-- What most tasks are when they become ready.
local READY = '{"s":"ready"}'

local function load_task(run, i)
  local text = hget(run_hash(run), 't' .. i)
  if text == READY then return { s = 'ready' } end
  if text then return decode(text) end
  return { s = 'pending' }
end

local function save_task(run, i, t)
  local is_only_ready = t.s == 'ready' and next(t, next(t)) == nil
  put(run_hash(run), 't' .. i, is_only_ready and READY or encode(t))
end

-- The record of a first attempt, and of one that completed with it: most records are one of these. They are the same JSON, but
-- read by a pattern and put together from texts, since JSON is slow with numbers. Any other is for `decode` and `encode`.
-- STARTED gives the token, what stays, the start and the number of the attempt.
local STARTED = '^{"s":"running","k":"([^"\\]*)",("w":"[^"\\]*","st":(%d+),"b0":%d+,"a":(%d+))}$'

local function save_started(run, i, token, worker, attempt)
  put(run_hash(run), 't' .. i, '{"s":"running","k":"' .. token .. '","w":"' .. worker .. '","st":' .. NOW_TEXT .. ',"b0":' .. NOW_TEXT
    .. ',"a":' .. attempt .. '}')
end

local function save_completed(run, i, token, facts, attempt, exit_code, is_verified)
  put(run_hash(run), 't' .. i, '{"s":"completed","lk":"' .. token .. '",' .. facts .. ',"u":' .. attempt .. ',"f":' .. NOW_TEXT
    .. (exit_code and ',"x":' .. text_of(exit_code) or '') .. (is_verified and ',"v":1}' or '}'))
end

-- Whether a text is the same in JSON but for its quotes, and in an event.
local plain = {}
local function is_plain(text)
  if plain[text] == nil then plain[text] = not find(text, '[%c"\\]') end
  return plain[text]
end

-- What stands in a node's text (flows/node.ts); after a tab, its limits. NODE_NAME is what it begins with: master, id and hash.
local NODE = '^(%S*) (%S+) (%S*) (%d+) (%d+) (%d+) (%d+) (%d)\t(.*)$'
local NODE_NAME = '^(%S*) (%S+) (%S*) %d+ %d+ %d+ %d+ %d\t'
local function parse_node(text)
  local m, id, h, p, g, o, x, c, l = match(text, NODE)
  return { id = id, m = m, p = tonumber(p), o = o, g = tonumber(g), x = tonumber(x), c = c == '1', h = h, l = l }
end

local function load_node(run, i)
  return parse_node(hget(run_hash(run), i))
end

-- Who needs node i, as `<index><condition>`, comma separated; false when nobody does.
local function dependents_of(run, i)
  return hget(run_hash(run), 'd' .. i)
end

-- What stands in a run's status: its state; whether some nodes wait for approvals, whether some are to be skipped, whether it
-- has begun; how many tasks it has; the counts that most claims and settles change, the others in one piece; after a tab what
-- is in use of the run's own limits. A count that is no number is 0, until the audit counts anew.
local STATUS = '^(%S+) (%d)(%d)(%d) (%d+)' .. string.rep(' (%S+)', 5) .. ' ([^\t]*)\t(.*)$'
local SOUND_STATUS = '^(%S+) (%d)(%d)(%d) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) ([^\t]*)\t(.*)$'
local STATE, HAS_APPROVALS, HAS_SKIPS, HAS_BEGUN, TASKS, OTHERS, OWN_USE = 1, 2, 3, 4, 5, 11, 12
local COUNTS = { pending = 6, ready = 7, running = 8, parked = 9, completed = 10 }
local OTHER_COUNTS = { failed = 1, blocked = 2, skipped = 3, cancelled = 4, approval = 5, gated = 6, tolerated = 7 }
local statuses, other_counts, own_uses, changed_statuses = {}, {}, {}, {}

-- Without a state where there is no such run, or one that is only staged.
-- `text`: the status as it stands in the record, where that was read already.
local function status_of(run, text)
  local s = statuses[run]
  if not s then
    text = text or hget(run_hash(run), 'status') or ''
    s = { match(text, SOUND_STATUS) }
    if not s[STATE] then
      s = { match(text, STATUS) }
      for at = COUNTS.pending, s[STATE] and COUNTS.completed or 0 do
        local number = tonumber(s[at])
        s[at] = number and number == number and text_of(number) or '0'
      end
    end
    if s[STATE] == '-' then s[STATE] = false end
    statuses[run] = s
  end
  return s
end

-- Of a run: its state, how many tasks and how many nodes it has.
local function read_size(run)
  local nodes = hmget(run_hash(run), 'nodes', 'status')[1]
  local s = status_of(run)
  return s[STATE], tonumber(s[TASKS]), tonumber(nodes)
end

local function others_of(run)
  local others = other_counts[run]
  if not others then
    others = {}
    for number in gmatch(status_of(run)[OTHERS] or '', '%S+') do others[#others + 1] = number end
    for at = #others + 1, OTHER_COUNTS.tolerated do others[at] = '0' end
    other_counts[run] = others
  end
  return others
end

-- What is in use of a run's own limits, by their names.
local function own_use(run)
  local own = own_uses[run]
  if not own then
    local text = status_of(run)[OWN_USE] or ''
    -- Most have one.
    local name, used = match(text, '^([^%s,]+) (%d+)$')
    if name then
      own = { [name] = used }
    else
      own = {}
      for each, its_use in gmatch(text, '([^%s,]+) (%d+)') do own[each] = its_use end
    end
    own_uses[run] = own
  end
  return own
end

local function set_status(run, at, value)
  set_in(status_of(run), at, value)
  changed_statuses[run] = true
end

local function add_own_use(run, name, by)
  local own = own_use(run)
  local used = (own[name] or 0) + by
  set_in(own, name, text_of(used > 0 and used or 0))
  changed_statuses[run] = true
end

-- Where a count stands: a list, and the place in it.
local function place_of(run, what)
  local at = COUNTS[what]
  if at then return status_of(run), at end
  return others_of(run), OTHER_COUNTS[what]
end

local function count_of(run, what)
  local list, at = place_of(run, what)
  return tonumber(list[at]) or 0
end

local function set_count(run, what, value)
  local list, at = place_of(run, what)
  set_in(list, at, text_of(value))
  changed_statuses[run] = true
end

local function count(run, what, by)
  local list, at = place_of(run, what)
  set_in(list, at, text_of((tonumber(list[at]) or 0) + by))
  changed_statuses[run] = true
end

-- One task less in the one state and one more in the other, both among `COUNTS`.
local function recount(run, from, to)
  local s = status_of(run)
  local less, more = text_of(s[from] - 1), text_of(s[to] + 1)
  if is_journaled then
    local at = journal_length
    journal[at + 1], journal[at + 2], journal[at + 3] = s, from, s[from]
    journal[at + 4], journal[at + 5], journal[at + 6] = s, to, s[to]
    journal_length = at + 6
  end
  s[from], s[to] = less, more
  changed_statuses[run] = true
end

-- What was put and has not been written.
local function write_all()
  is_journaled = false
  for run in pairs(changed_statuses) do
    local s = statuses[run]
    if other_counts[run] then s[OTHERS] = concat(other_counts[run], ' ') end
    if own_uses[run] then
      local text
      for name, used in pairs(own_uses[run]) do text = (text and text .. ',' or '') .. name .. ' ' .. used end
      s[OWN_USE] = text or ''
    end
    -- What is done to tasks of a run whose status cannot be read is not counted; others are not kept from being written.
    if s[STATE] and s[TASKS] then
      local counts = concat(s, ' ', TASKS, OTHERS)
      local text = s[STATE] .. ' ' .. s[HAS_APPROVALS] .. s[HAS_SKIPS] .. s[HAS_BEGUN] .. ' ' .. counts .. '\t' .. s[OWN_USE]
      put(run_hash(run), 'status', text)
    end
  end
  flush()
  write_events()
end

-- Moves a task to another state and keeps the run's counts. Gates (marked k = 'g') are not counted.
local function move(run, t, to, is_gate)
  local from = t.s
  if from == to then return end
  if not is_gate then
    if COUNTS[from] and COUNTS[to] and status_of(run)[TASKS] then
      recount(run, COUNTS[from], COUNTS[to])
    else
      count(run, from, -1)
      count(run, to, 1)
    end
  end
  t.s = to
end

---------------------------------------------------------------------------------------------------------------- limits

local USED = hash_at(B .. ':limits:used')
local CAPS = hash_at(B .. ':limits:caps')
-- The limits of a node, out of the text that the node has of them (flows/node.ts), as {name, amount, cap or false, …}. Those
-- with a cap are the run's own, and what is in use of them stands in the run's status; all others are shared, their names are
-- their keys.
local limits_by_text = {}
local function limits_of(text)
  local limits = limits_by_text[text]
  if limits then return limits end
  limits = {}
  local at = 0
  for name, amount, cap in gmatch(text, '(%S+) (%d+) (%d*),?') do
    limits[at + 1], limits[at + 2], limits[at + 3] = name, tonumber(amount), tonumber(cap) or false
    at = at + 3
  end
  limits_by_text[text] = limits
  return limits
end

-- All that most settles ask of a node, given as its text. None where it is gone or damaged: the audits count what it took.
local function limits_in(node)
  local tab = node and find(node, '\t', 1, true)
  return tab and limits_of(sub(node, tab + 1)) or {}
end

local function limits_at(run, i)
  return limits_in(hget(run_hash(run), i))
end

-- The key of a limit: what a line is called, and what is told of it.
local function limit_key(run, limits, at)
  return limits[at + 2] and 'run:' .. run .. ':' .. limits[at] or limits[at]
end

-- Whether anybody stands in any line; most of the time nobody does.
local LINES = B .. ':lines'
local has_lines
local function someone_waits()
  if has_lines == nil then has_lines = call('EXISTS', LINES) == 1 end
  return has_lines
end

local function waiters_key(key)
  return B .. ':w:' .. key
end

-- How "run|index" stands in a line: those at the same place are in the order of their text, which is that of the plan when
-- the index has leading zeros. LINE_ENTRY reads it back.
local LINE_ENTRY = '^(.*)|0*(%d+)$'
local line_entries = {}
local function line_entry(member)
  if not line_entries[member] then
    line_entries[member] = format('%s|%06d', match(member, LINE_ENTRY))
  end
  return line_entries[member]
end

-- The first of each line that was asked for in this call, {its entry, its place}, both nil in an empty one: a batch of calls asks
-- again and again for those that are empty. Lines are changed with the two functions after it alone.
local heads, known_lines = {}, {}
local function head_of(key)
  local head = heads[key]
  if not head then
    head = call('ZRANGE', waiters_key(key), 0, 0, 'WITHSCORES')
    heads[key] = head
  end
  return head
end

local function enter_line(key, place, entry)
  call('ZADD', waiters_key(key), place, entry)
  heads[key] = nil
end

local function leave_line(key, entry)
  call('ZREM', waiters_key(key), entry)
  heads[key] = nil
end

-- What the sweeper looks through. A line that only a hold has is not among them.
local function keep_lines(keys)
  for _, key in ipairs(keys) do
    if not known_lines[key] then
      call('SADD', LINES, key)
      known_lines[key], has_lines = true, true
    end
  end
end

-- How much there is of a limit (nil: as much as anybody wants), and how much of that is in use.
local function capacity_of(run, limits, at)
  local cap, name = limits[at + 2], limits[at]
  if cap then return cap, tonumber(own_use(run)[name]) or 0 end
  return tonumber(hget(CAPS, name)), tonumber(hget(USED, name)) or 0
end

-- The limits that `member`, whose place in line is `place`, cannot have now: no room, or somebody with a better place waits
-- for it. None: nil.
local function shortage(run, limits, place, member)
  local short = nil
  for at = 1, #limits, 3 do
    local cap, used = capacity_of(run, limits, at)
    if cap then
      local is_short = used + limits[at + 1] > cap
      if not is_short and someone_waits() then
        local first = head_of(limit_key(run, limits, at))
        is_short = first[1] and first[1] ~= line_entry(member) and tonumber(first[2]) <= tonumber(place)
      end
      if is_short then
        short = short or {}
        short[#short + 1] = limit_key(run, limits, at)
      end
    end
  end
  return short
end

-- When the lease of a task ends; false without one.
local function lease_of(member)
  local ends = LEASES[member]
  if ends == nil then
    ends = tonumber(call('ZSCORE', LEASES_KEY, member)) or false
    LEASES[member] = ends
  end
  return ends
end

local function read_leases(members)
  if #members == 0 then return end
  local scores = call('ZMSCORE', LEASES_KEY, unpack(members))
  for at, member in ipairs(members) do LEASES[member] = tonumber(scores[at]) or false end
end

local function acquire(run, member, limits, ttl)
  for at = 1, #limits, 3 do
    if limits[at + 2] then
      add_own_use(run, limits[at], limits[at + 1])
    else
      hincrby(USED, limits[at], limits[at + 1])
    end
  end
  put(LEASES, member, NOW + ttl)
end

-- Gives a lease back; adds what became free to `freed`. Safe to call when there is none.
local function release(run, member, limits, freed)
  if not lease_of(member) then return end
  put(LEASES, member, false)
  local is_wanted = someone_waits()
  for at = 1, #limits, 3 do
    local name, amount = limits[at], limits[at + 1]
    if limits[at + 2] then
      add_own_use(run, name, -amount)
    elseif hincrby(USED, name, -amount) <= 0 then
      put(USED, name, false)
    end
    if is_wanted then freed[limit_key(run, limits, at)] = true end
  end
end

-- Takes a waiter out of every line it stands in.
local function leave_lines(member, t)
  if not t.wq then return end
  local entry = line_entry(member)
  for _, key in ipairs(t.wq) do leave_line(key, entry) end
  t.wq = nil
end

-- How a person calls a limit.
local function limit_name(key)
  return match(key, '^res:(.*)$') or match(key, '^run:[^:]*:(.*)$') or key
end

local function limit_names(keys)
  local names = {}
  for _, key in ipairs(keys) do
    local name = limit_name(key)
    if sub(name, 1, 6) == 'phase:' then name = 'phase ' .. sub(name, 7) end
    if name ~= key and name == 'agents' then name = 'agents of this run' end
    names[#names + 1] = name
  end
  return concat(names, ', ')
end

-- Puts a waiter in line for what it is short of. One held back by its own run's limits stands only there, so that it
-- keeps nothing from others. A place in line for a resource is kept while it waits for another one: whoever needs
-- several resources is not overtaken for ever.
local function stand_in_line(member, t, short, score)
  local keep, own = {}, {}
  for _, key in ipairs(short) do
    if sub(key, 1, 4) == 'run:' then own[#own + 1] = key end
  end
  if #own > 0 then
    keep = own
  else
    local seen = {}
    for _, key in ipairs(short) do
      seen[key] = true
      keep[#keep + 1] = key
    end
    for _, key in ipairs(t.wq or {}) do
      if sub(key, 1, 4) == 'res:' and not seen[key] then keep[#keep + 1] = key end
    end
  end
  leave_lines(member, t)
  local entry = line_entry(member)
  for _, key in ipairs(keep) do enter_line(key, score, entry) end
  keep_lines(keep)
  t.wq = keep
end

-- Of the run's own limits of a task that has just got its share: those of which nothing is left. Whoever waits for one stands in
-- no line of others, so that looking at them would change nothing.
local function close_full(run, limits, closed)
  for at = 1, #limits, 3 do
    if limits[at + 2] then
      local cap, used = capacity_of(run, limits, at)
      if used >= cap then closed[limit_key(run, limits, at)] = true end
    end
  end
end

-- Hands what became free to the first waiters that fit, best place first. `grants` collects "run|index".
-- The head of a line that does not fit closes that line: what is free there is reserved for it.
local GRANT_TTL = 30000
-- Each grant is "run|index" and, after it, the node's text.
local function grant_waiters(freed, grants)
  if not someone_waits() then return end
  local closed = {}
  for _ = 1, 1000 do
    local best, best_score, best_key
    for key in pairs(freed) do
      if not closed[key] then
        local head = head_of(key)
        if not head[1] then
          closed[key] = true
        else
          local score = tonumber(head[2])
          -- In the order of one line, also where the two stand in different ones.
          if not best or score < best_score or (score == best_score and head[1] < best) then
            best, best_score, best_key = head[1], score, key
          end
        end
      end
    end
    if not best then return end
    local run, i = match(best, LINE_ENTRY)
    know(run_hash(run), { i, 't' .. i })
    local member, t = run .. '|' .. i, load_task(run, i)
    -- A run whose status is gone can be granted nothing: it is not known what it has.
    if t.s ~= 'parked' or t.g or not status_of(run)[STATE] then
      leave_line(best_key, best)
    else
      local node = load_node(run, i)
      local limits = limits_of(node.l)
      local short = shortage(run, limits, node.o, member)
      if not short then
        leave_lines(member, t)
        acquire(run, member, limits, GRANT_TTL)
        close_full(run, limits, closed)
        t.g = 1
        save_task(run, i, t)
        grants[#grants + 1] = member
        grants[#grants + 1] = hget(run_hash(run), i)
      else
        stand_in_line(member, t, short, node.o)
        save_task(run, i, t)
        for _, key in ipairs(t.wq) do
          if key == best_key then closed[best_key] = true end
        end
      end
    end
  end
end

-- Hands on what became free where the caller cannot wake jobs itself: the next sweep promotes them.
local function grant_later(freed)
  local grants = {}
  grant_waiters(freed, grants)
  for at = 1, #grants, 2 do call('SADD', B .. ':wake', grants[at]) end
end

------------------------------------------------------------------------------------------------------------ the graph

-- What an ended node means to one that waits for it. Conditions: s success, d done, f failed, p passed (gates).
local function verdict(condition, state, tolerated)
  if condition == 'd' then return 'met' end
  if condition == 'f' then
    if state == 'failed' or state == 'blocked' then return 'met' end
    return 'skip'
  end
  if state == 'completed' or (state == 'failed' and tolerated) then return 'met' end
  if state == 'skipped' then return (condition == 'p' or tolerated) and 'met' or 'skip' end
  return 'block'
end

local function add_roots(t, roots)
  local seen, changed = {}, false
  t.b = t.b or {}
  for _, root in ipairs(t.b) do seen[root] = true end
  for _, root in ipairs(roots) do
    if not seen[root] then
      t.b[#t.b + 1] = root
      changed = true
    end
  end
  return changed
end

local function mark_skip(run, i)
  hset(run_hash(run, 'skip'), i, 1)
  set_status(run, HAS_SKIPS, '1')
end

local function is_to_skip(run, i)
  return status_of(run)[HAS_SKIPS] == '1' and hexists(run_hash(run, 'skip'), i) == 1
end

local function wants_approval(run, i)
  return status_of(run)[HAS_APPROVALS] == '1' and call('SISMEMBER', run_key(run, 'approvals'), i) == 1
end

-- What an outcome leads to: lists of task indexes, most of one or none.
local NONE = {}
local function new_outcome()
  return { ready = NONE, blocked = NONE, skipped = NONE, approvals = NONE }
end

local function add_to(out, name, i)
  if out[name] == NONE then
    out[name] = { i }
  else
    out[name][#out[name] + 1] = i
  end
end

-- A script that adds jobs itself puts into the outbox only what it cannot add.
local adds_jobs = false

-- Marks node i ready (a task: into the outbox), completed (a gate) or skipped. `work` gets what that ends in turn.
local function open_node(run, i, t, task_count, work, out)
  local is_gate = tonumber(i) >= task_count
  if is_to_skip(run, i) then
    move(run, t, 'skipped', is_gate)
    t.f = NOW
    save_task(run, i, t)
    if not is_gate then add_to(out, 'skipped', i) end
    work[#work + 1] = { i = i, s = 'skipped' }
  elseif t.ap ~= 2 and wants_approval(run, i) then
    t.ap = 1
    t.r = 'waiting for approval'
    t.st = nil
    t.n = NOW
    move(run, t, 'parked', is_gate)
    save_task(run, i, t)
    count(run, is_gate and 'gated' or 'approval', 1)
    add_to(out, 'approvals', i)
  elseif is_gate then
    move(run, t, 'completed', true)
    save_task(run, i, t)
    work[#work + 1] = { i = i, s = 'completed' }
  else
    move(run, t, 'ready', false)
    save_task(run, i, t)
    if not adds_jobs then call('ZADD', run_key(run, 'outbox'), NOW, i) end
    add_to(out, 'ready', i)
  end
end

-- A record that cannot be read keeps its own task where it is, and not those that it waits for.
local function load_dependent(run, j)
  if not hget(run_hash(run), 't' .. j) then return { s = 'pending' } end
  local is_readable, t = pcall(load_task, run, j)
  return is_readable and t or { s = 'unreadable' }
end

-- Spreads ended nodes through the graph. work: list of {i, s state, tol, roots, again = only the roots are news}.
local function propagate(run, task_count, work, out)
  local h, status, at = run_hash(run), status_of(run), 1
  while work[at] do
    local item = work[at]
    at = at + 1
    for j, condition in gmatch(dependents_of(run, item.i) or '', '(%d+)(%a)') do
      local is = verdict(condition, item.s, item.tol)
      local is_gate = tonumber(j) >= task_count
      if is == 'block' then
        local t = load_dependent(run, j)
        if t.s == 'pending' or t.s == 'blocked' then
          local was_blocked = t.s == 'blocked'
          local changed = add_roots(t, item.roots)
          if not was_blocked then
            move(run, t, 'blocked', is_gate)
            if not is_gate then add_to(out, 'blocked', j) end
          end
          if changed or not was_blocked then
            save_task(run, j, t)
            work[#work + 1] = { i = j, s = 'blocked', roots = t.b, again = was_blocked }
          end
        end
      elseif not item.again then
        if is == 'skip' then mark_skip(run, j) end
        -- And what is looked at when it was the last: of a gate who needs it, of a task the node.
        local open, record = 'o' .. j, 't' .. j
        if h[open] == nil or h[record] == nil then know(h, { open, record, is_gate and 'd' .. j or j }) end
        if hincrby(h, open, -1) == 0 then
          if h[record] == false and not is_gate and status[HAS_SKIPS] == '0' and status[HAS_APPROVALS] == '0' then
            -- As in `open_node`, where nothing is to be asked.
            put(h, record, READY)
            recount(run, COUNTS.pending, COUNTS.ready)
            add_to(out, 'ready', j)
            if not adds_jobs then call('ZADD', run_key(run, 'outbox'), NOW, j) end
          else
            local t = load_dependent(run, j)
            if t.s == 'pending' then open_node(run, j, t, task_count, work, out) end
          end
        end
      end
    end
  end
end


-- Tells of what `propagate` did, in events of at most 500 tasks each.
local function tell_some(run, kind, list, ...)
  for from = 1, #list, 500 do
    event(run, kind, 'tasks', concat(list, ',', from, math.min(from + 499, #list)), ...)
  end
end

local function tell(run, out, root)
  if #out.ready == 1 then
    told[#told + 1] = run .. '\ttasks-ready\ttasks\t' .. out.ready[1]
  else
    tell_some(run, 'tasks-ready', out.ready)
  end
  if #out.blocked > 0 then tell_some(run, 'tasks-blocked', out.blocked, 'by', root or '') end
  tell_some(run, 'tasks-skipped', out.skipped)
  tell_some(run, 'approval-wanted', out.approvals)
end

-- Whether anything is held by a person; most of the time nothing is.
local HOLDS_KEY = B .. ':holds'
local HOLDS = hash_at(HOLDS_KEY)
local has_holds
local function something_is_held()
  if has_holds == nil then has_holds = call('EXISTS', HOLDS_KEY) == 1 end
  return has_holds
end

-- The state of a run that has something to do: a pause outlasts being blocked.
local function awake_state(run)
  return something_is_held() and hexists(HOLDS, 'run:' .. run) == 1 and 'paused' or 'running'
end

-- Runs whose undo was asked for and has not been submitted, by the time of asking. Each keeps its workspace, so that
-- nobody moves aside what its undo needs to find there.
local UNDO = B .. ':undo'
local has_undo
local function wants_undo(run)
  if has_undo == nil then has_undo = call('EXISTS', UNDO) == 1 end
  return has_undo and call('ZSCORE', UNDO, run) and true
end

local function free_workspace(run, workspace)
  if not workspace or wants_undo(run) then return end
  if hget(hash_at(B .. ':workspaces'), workspace) == run then hdel(hash_at(B .. ':workspaces'), workspace) end
end

-- Whether a run holds its workspace against others.
local function holds_workspace(run)
  return call('SISMEMBER', B .. ':live', run) == 1 or wants_undo(run)
end

-- Asks for the undo of a run, once. Returns 'asked', 'already' with the undo run or '', or 'workspace' with who has it now.
local function ask_undo(run)
  local m = hmget(run_hash(run), 'undo', 'undoRun', 'workspace')
  if m[1] then return 'already', m[2] or '' end
  local holder = hget(hash_at(B .. ':workspaces'), m[3])
  if holder and holder ~= run and holds_workspace(holder) then return 'workspace', holder end
  hset(run_hash(run), 'undo', 'wanted')
  call('ZADD', UNDO, NOW, run)
  has_undo = true
  hset(hash_at(B .. ':workspaces'), m[3], run)
  event(run, 'undo-wanted')
  return 'asked', ''
end

local function is_final(state)
  return state == 'completed' or state == 'failed' or state == 'cancelled'
end

-- Whether the undo of a run is asked for and not over.
local function is_undoing(run)
  if wants_undo(run) then return true end
  local undo_run = hget(run_hash(run), 'undoRun')
  local state = undo_run and status_of(undo_run)[STATE]
  return state and not is_final(state)
end

-- The ended runs by their end, one set for each state: what the keep rules look at. Not while its undo goes on.
local function shelve(run)
  local state, ended = status_of(run)[STATE], hget(run_hash(run), 'finishedAt')
  if is_final(state) and ended and not is_undoing(run) then call('ZADD', B .. ':past:' .. state, ended, run) end
end

local function unshelve(run)
  for _, state in ipairs({ 'completed', 'failed', 'cancelled' }) do call('ZREM', B .. ':past:' .. state, run) end
end

-- Ends the run, or finds it blocked, when nothing of it can move any more. Returns its state.
-- What waits for approval does not move by itself; with on-failure "continue" a run ends with its failures.
local function close_run(run)
  local s = status_of(run)
  local state = s[STATE]
  local function n(what) return count_of(run, what) end
  if n('ready') > 0 or n('running') > 0 or n('parked') > n('approval') then return state end
  local h = run_hash(run)
  -- Those after `ending` are for what comes after, where it has ended.
  local m = hmget(h, 'workspace', 'finishedAt', 'onFailure', 'ending', 'gates', 'noFiles', 'undoRun', 'undoOf')
  local wanted = n('approval') + n('gated')
  local function finish(to, kind)
    state = to
    set_status(run, STATE, to)
    put(h, 'finishedAt', NOW)
    call('ZADD', B .. ':ended', NOW, run)
    event(run, kind)
  end
  if state == 'cancelled' then
    if not m[2] then finish(m[4] == 'failed' and 'failed' or 'cancelled', m[4] == 'failed' and 'run-failed' or 'run-cancelled') end
  elseif state == 'running' or state == 'paused' then
    local faults = n('failed') - n('tolerated') + n('blocked') + n('pending')
    if wanted == 0 and faults == 0 then
      finish('completed', 'run-completed')
    elseif wanted == 0 and m[3] == 'continue' then
      finish('failed', 'run-failed')
    else
      state = 'blocked'
      set_status(run, STATE, state)
      put(h, 'blockedAt', NOW)
      event(run, 'run-blocked', 'reason', wanted > 0 and 'approval' or 'failure')
    end
  end
  if state == 'cancelled' or state == 'completed' or state == 'failed' then
    call('SREM', B .. ':live', run)
    free_workspace(run, m[1])
  end
  return state
end

-- The nodes of task indexes as texts, each with its index in front: {i, text, i, text, …}.
local function outbox_entries(run, indexes)
  local list = {}
  for from = 1, #indexes, 1000 do
    local part = {}
    for at = from, math.min(from + 999, #indexes) do part[#part + 1] = indexes[at] end
    local nodes = hmget(run_hash(run), unpack(part))
    for at, i in ipairs(part) do
      if nodes[at] then
        list[#list + 1] = i
        list[#list + 1] = nodes[at]
      end
    end
  end
  return list
end

-- A task that failed for good: the record, everything that waits for it, the events.
local function fail_task(run, i, t, node, task_count, out)
  move(run, t, 'failed', false)
  t.f = NOW
  t.tol = node.c and 1 or nil
  if node.c then count(run, 'tolerated', 1) end
  save_task(run, i, t)
  propagate(run, task_count, { { i = i, s = 'failed', tol = node.c, roots = { tonumber(i) } } }, out)
  event(run, 'task-failed', 'task', i, 'attempt', t.a or 0, 'reason', t.r or '', 'exit', t.x or '', 'ms', NOW - (t.st or NOW),
    'blocked', #out.blocked)
end

-- Cancels whatever of a run has not ended and is not running. `freed` collects limits, `queued` indexes that may have jobs.
local function cancel_rest(run, task_count, freed, queued)
  local cancelled = {}
  for i = 0, task_count - 1 do
    local t = load_task(run, i)
    if t.s == 'pending' or t.s == 'ready' or t.s == 'parked' or t.s == 'blocked' then
      local member = run .. '|' .. i
      leave_lines(member, t)
      if (t.s == 'ready' or t.s == 'parked') and t.ap ~= 1 then queued[#queued + 1] = i end
      if t.g then release(run, member, limits_at(run, i), freed) end
      t.g, t.n, t.ap = nil, nil, nil
      move(run, t, 'cancelled', false)
      t.f = NOW
      save_task(run, i, t)
      cancelled[#cancelled + 1] = i
    elseif t.s == 'failed' then
      queued[#queued + 1] = i
    end
  end
  call('DEL', run_key(run, 'outbox'))
  set_count(run, 'approval', 0)
  set_count(run, 'gated', 0)
  for from = 1, #cancelled, 500 do
    event(run, 'tasks-cancelled', 'tasks', concat(cancelled, ',', from, math.min(from + 499, #cancelled)))
  end
end

-- With on-failure "cancel" a failure that counts stops the rest of the run; it then ends as failed.
local function stop_on_failure(run, t, task_count, freed)
  if t.s ~= 'failed' or t.tol then return end
  local state = status_of(run)[STATE]
  if hget(run_hash(run), 'onFailure') ~= 'cancel' or (state ~= 'running' and state ~= 'paused') then return end
  set_status(run, STATE, 'cancelled')
  hset(run_hash(run), 'ending', 'failed')
  event(run, 'run-cancelling')
  cancel_rest(run, task_count, freed, {})
end

-- Works out anew what has not started, from the states of what it needs. After a failed task runs again or is skipped.
local function recompute(run, task_count, node_count, out)
  local waiting = {}
  for j = 0, node_count - 1 do
    local t = load_task(run, j)
    if t.s == 'blocked' or t.s == 'pending' then
      move(run, t, 'pending', j >= task_count)
      t.b = nil
      save_task(run, j, t)
      waiting[#waiting + 1] = j
    end
  end
  local blocked, openable = {}, {}
  for _, j in ipairs(waiting) do
    local open, skip, roots = 0, false, {}
    for from, condition in gmatch(hget(run_hash(run, 'needs'), j) or '', '(%d+)(%a)') do
      local source = load_task(run, from)
      if source.s == 'pending' or source.s == 'ready' or source.s == 'running' or source.s == 'parked' then
        open = open + 1
      else
        local is = verdict(condition, source.s, source.tol)
        if is == 'skip' then skip = true end
        if is == 'block' then roots[#roots + 1] = tonumber(from) end
      end
    end
    put(run_hash(run), 'o' .. j, open)
    if skip then mark_skip(run, j) else hdel(run_hash(run, 'skip'), j) end
    if #roots > 0 then
      blocked[#blocked + 1] = { j = j, roots = roots }
    elseif open == 0 then
      openable[#openable + 1] = j
    end
  end
  local ended = {}
  for _, item in ipairs(blocked) do
    local t = load_task(run, item.j)
    move(run, t, 'blocked', item.j >= task_count)
    add_roots(t, item.roots)
    save_task(run, item.j, t)
    ended[#ended + 1] = { i = item.j, s = 'blocked', roots = t.b }
  end
  for _, j in ipairs(openable) do open_node(run, j, load_task(run, j), task_count, ended, out) end
  propagate(run, task_count, ended, out)
end

-- The report of an ended run is written, or it has none; from now on the keep rules count it. The end of an undo run lets
-- them see the run that it has undone.
local function finalise(run)
  call('ZREM', B .. ':ended', run)
  shelve(run)
  local origin = hget(run_hash(run), 'undoOf')
  if origin and not call('ZSCORE', B .. ':ended', origin) then shelve(origin) end
end

-- Performs one of several calls that came together. What fails in it ({'error', text}) does not take the others with it.
local function one_call(perform, ...)
  mark()
  local is_done, reply = pcall(perform, ...)
  if is_done then return reply end
  take_back()
  return { 'error', type(reply) == 'table' and reply.err or tostring(reply) }
end

-- Several calls that came together: ARGV has the number of arguments of each, then all of them. Each is told after which
-- argument its own begin. Their answers come back in the same order.
local function each_call(perform)
  local width, replies = tonumber(ARGV[1]), {}
  for at = 1, #ARGV - 1, width do replies[#replies + 1] = one_call(perform, ARGV, at) end
  return replies
end

-------------------------------------------------------------------------------------------------------- BullMQ's jobs

-- Where BullMQ has a job: a state of its own, 'absent', or 'nowhere' for a hash that none of the queue's sets names.
local function job_state(queue, id)
  local key = B .. ':' .. queue .. ':'
  if call('EXISTS', key .. id) == 0 then return 'absent' end
  for _, set in ipairs({ 'prioritized', 'delayed', 'completed', 'failed', 'waiting-children' }) do
    if call('ZSCORE', key .. set, id) then return set end
  end
  for _, list in ipairs({ 'active', 'wait', 'paused' }) do
    if call('LPOS', key .. list, id) then return list end
  end
  return 'nowhere'
end
