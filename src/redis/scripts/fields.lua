-- How every script reads and writes: names of keys, fields of hashes that are read once and written together, the time, the
-- events. KEYS[1] is the base, one hash tag for everything, so that all keys of planq live in one cluster slot.
--
-- All else is one function inside of this (scripts.ts): what a closure takes from a function around its own is found at once,
-- what it takes from its own by a search through all that was taken there, in every call.
local B = KEYS[1]

-- What is looked up once costs nothing later: a global is a search in a table each time.
local call, decode, encode = redis.call, cjson.decode, cjson.encode
local type, tonumber, tostring, pairs, ipairs, next, unpack, pcall = type, tonumber, tostring, pairs, ipairs, next, unpack, pcall
local match, gmatch, find, sub, format, concat = string.match, string.gmatch, string.find, string.sub, string.format, table.concat

local function run_key(run, part)
  return B .. ':r:' .. run .. (part and ':' .. part or '')
end

----------------------------------------------------------------------------------------------------------- hash fields

-- A call from Lua costs more than what it does. So fields of hashes are read once and written together, by `flush`, when
-- the script or, of several calls that came together, the call is over. All of planq's scripts use these.
--
-- A hash is a table of the fields that are known so far, false for one that is not there. Fields are texts: a number is made
-- one where a field is looked for that is not known yet.
local hashes, key_of, run_hashes = {}, {}, {}
-- The names of the fields that were changed, each with the place of the one before it of the same hash (false: none), and of
-- each hash the place of the last. What was put more than once may stand there more than once.
local changes, change_count, dirty = { unpack({}, 1, 60) }, 0, {}
-- What was there before, for a call that fails among others: hash, field, value.
local journal, journal_length, is_journaled = { unpack({}, 1, 60) }, 0, false

local function hash_at(key)
  local h = hashes[key]
  if not h then
    h = {}
    hashes[key], key_of[h] = h, key
  end
  return h
end

-- A hash of a run: one of its parts, or its own.
local function run_hash(run, part)
  if part then return hash_at(run_key(run, part)) end
  local h = run_hashes[run]
  if not h then
    h = {}
    run_hashes[run], key_of[h] = h, run_key(run)
  end
  return h
end

-- The leases, a sorted set, are kept in the same way: a member's score is its field.
local LEASES_KEY = B .. ':leases'
local LEASES = hash_at(LEASES_KEY)

-- False where there is no such field. What was put as a number may come back as one.
local function hget(h, field)
  local value = h[field]
  if value == nil then
    if type(field) == 'number' then
      field = tostring(field)
      value = h[field]
      if value ~= nil then return value end
    end
    value = call('HGET', key_of[h], field)
    h[field] = value
  end
  return value
end

-- Reads in one command what is not known yet of these fields.
local function know(h, names)
  local missing = names
  if next(h) then
    missing = {}
    for at = 1, #names do
      if h[names[at]] == nil then missing[#missing + 1] = names[at] end
    end
    if #missing == 0 then return end
  end
  local found = call('HMGET', key_of[h], unpack(missing))
  for at = 1, #missing do h[missing[at]] = found[at] end
end

-- The values of these fields, as `know` reads them but without keeping what nobody else asks for.
local function look(h, names)
  local values = call('HMGET', key_of[h], unpack(names))
  if next(h) then
    for at = 1, #names do
      local known = h[names[at]]
      if known ~= nil then values[at] = known end
    end
  end
  return values
end

local function hmget(h, ...)
  local names, values = { ... }, {}
  for at = 1, #names do
    if type(names[at]) == 'number' then names[at] = tostring(names[at]) end
  end
  know(h, names)
  for at = 1, #names do values[at] = h[names[at]] end
  return values
end

local function put(h, field, value)
  local before = h[field]
  if before == nil and type(field) == 'number' then
    field = tostring(field)
    before = h[field]
  end
  if is_journaled then
    local at = journal_length
    journal[at + 1], journal[at + 2], journal[at + 3] = h, field, before
    journal_length = at + 3
  end
  h[field] = value
  local last = dirty[h]
  -- A number in a hash is one that was put and is not written yet: a counter that changes often is named once.
  if not last or type(before) ~= 'number' or h == LEASES then
    local at = change_count + 1
    changes[at], changes[at + 1] = field, last or false
    change_count = at + 1
    dirty[h] = at
  end
end

-- As `put`, in a list that is written as one text by who calls this.
local function set_in(list, at, value)
  if is_journaled then
    local length = journal_length
    journal[length + 1], journal[length + 2], journal[length + 3] = list, at, list[at]
    journal_length = length + 3
  end
  list[at] = value
end

local function hset(h, ...)
  local pairs_of = { ... }
  for at = 1, #pairs_of, 2 do put(h, pairs_of[at], pairs_of[at + 1]) end
end

local function hdel(h, ...)
  for _, field in ipairs({ ... }) do put(h, field, false) end
end

local function hincrby(h, field, by)
  local value = (tonumber(h[field] or hget(h, field)) or 0) + by
  put(h, field, value)
  return value
end

local function hexists(h, field)
  return hget(h, field) and 1 or 0
end

-- Calls a command with more arguments than Lua hands over at once.
local function call_in_parts(command, key, arguments, count)
  count = count or #arguments
  for from = 1, count, 1000 do
    call(command, key, unpack(arguments, from, math.min(from + 999, count)))
  end
end

-- Redis writes a number with all digits that a fraction could have, which takes longer than most commands. Most are small.
local texts = { [0] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', '15', '16' }
local function text_of(number)
  local text = texts[number]
  if not text then
    text = number % 1 == 0 and format('%d', number) or tostring(number)
    -- No table takes what is no number as a name.
    if number == number then texts[number] = text end
  end
  return text
end

local function flush()
  local set, gone = {}, {}
  for h, last in pairs(dirty) do
    local key, is_leases, set_count, gone_count = key_of[h], h == LEASES, 0, 0
    while last do
      local field = changes[last]
      local value = h[field]
      last = changes[last + 1]
      if value then
        if is_leases then
          set[set_count + 1], set[set_count + 2] = text_of(value), field
        else
          if type(value) == 'number' then
            value = text_of(value)
            h[field] = value
          end
          set[set_count + 1], set[set_count + 2] = field, value
        end
        set_count = set_count + 2
      -- Nothing: what was put there was taken back, and nobody had looked at it before.
      elseif value == false then
        gone_count = gone_count + 1
        gone[gone_count] = field
      end
    end
    if set_count > 0 then call_in_parts(is_leases and 'ZADD' or 'HSET', key, set, set_count) end
    if gone_count > 0 then call_in_parts(is_leases and 'ZREM' or 'HDEL', key, gone, gone_count) end
  end
  dirty, change_count = {}, 0
end

-- Events that are to be written with all else.
local told, told_at_mark = {}, 0

-- What was put and told since `mark`, for a call that fails among others: its changes are taken back, theirs stay.
local function mark()
  is_journaled, journal_length, told_at_mark = true, 0, #told
end

local function take_back()
  for at = journal_length - 2, 1, -3 do
    local h, field, before = journal[at], journal[at + 1], journal[at + 2]
    -- What was there is written as it was.
    h[field] = before
  end
  for at = #told, told_at_mark + 1, -1 do told[at] = nil end
  mark()
end

local time = call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
-- For what is given to Redis.
local NOW_TEXT = format('%d', NOW)

-- What every worker has to hear of, in a stream by itself: the events of many short tasks would keep all workers reading.
local CALLS = B .. ':calls'
local IS_CALL = { ['run-cancelling'] = true, ['run-submitted'] = true, ['run-resumed'] = true }

-- Tells an event: run, type, and then names and values in turns. A value may come from anywhere; where the events that come
-- most are told, the line is put together at once, of what has no tabs and no line ends.
local function event(run, kind, ...)
  local facts = { run, kind, ... }
  for at = 3, #facts do facts[at] = string.gsub(tostring(facts[at]), '[\t\n]', ' ') end
  told[#told + 1] = concat(facts, '\t')
  if IS_CALL[kind] then call('XADD', CALLS, 'MAXLEN', '~', '1000', '*', 'e', run .. '\t' .. kind) end
end

-- An entry of a stream costs as much as three of other keys, so what was told in a script stands in few of them, in lines. An
-- entry's id is that of its last event, and those before it have the numbers before that one: none is left out or used twice
-- (stream.ts). The first entry of a millisecond has the same number whatever it holds, so where that is refused there was one
-- before, or the clock has gone back, and only then the stream is asked for the last id that it gave.
local EVENTS = B .. ':events'
local MOST_IN_ENTRY = 8

local function last_event_id()
  local info = call('XINFO', 'STREAM', EVENTS)
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then return match(info[at + 1], '^(%d+)-(%d+)$') end
  end
end

local function write_events()
  local count = #told
  if count == 0 then return end
  local ms, number, from = NOW_TEXT, MOST_IN_ENTRY, 1
  local to = math.min(MOST_IN_ENTRY, count)
  local added = redis.pcall('XADD', EVENTS, 'MAXLEN', '~', '50000', ms .. '-' .. number, 'e', concat(told, '\n', 1, to))
  if type(added) == 'string' then
    from = to + 1
  else
    ms, number = last_event_id()
    number = math.max(number, MOST_IN_ENTRY)
  end
  for at = from, count, MOST_IN_ENTRY do
    to = math.min(at + MOST_IN_ENTRY - 1, count)
    number = number + 1 + to - at
    call('XADD', EVENTS, 'MAXLEN', '~', '50000', ms .. '-' .. text_of(number), 'e', concat(told, '\n', at, to))
  end
end
