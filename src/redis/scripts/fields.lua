-- How every script reads and writes: names of keys, fields of hashes that are read once and written together, the time, the
-- events. KEYS[1] is the base, one hash tag for everything, so that all keys of planq live in one cluster slot.
--
-- All else is one function inside of this (scripts.ts): what a closure takes from a function around its own is found at once,
-- what it takes from its own by a search through all that was taken there, in every call.
local B = KEYS[1]

-- What is looked up once costs nothing later: a global is a search in a table each time.
local call, decode, encode = redis.call, cjson.decode, cjson.encode
local type, tonumber, tostring, pairs, ipairs, next, unpack, pcall = type, tonumber, tostring, pairs, ipairs, next, unpack, pcall
local match, gmatch, sub, format, concat = string.match, string.gmatch, string.sub, string.format, table.concat

-- Names are made once in a call.
local run_keys = {}
local function run_key(run, part)
  local keys = run_keys[run]
  if not keys then
    keys = { [''] = B .. ':r:' .. run }
    run_keys[run] = keys
  end
  local key = keys[part or '']
  if not key then
    key = keys[''] .. ':' .. part
    keys[part] = key
  end
  return key
end

----------------------------------------------------------------------------------------------------------- hash fields

-- A call from Lua costs more than what it does. So fields of hashes are read once and written together, by `flush`, when
-- the script or, of several calls that came together, the call is over. All of planq's scripts use these; only the counts
-- of open needs are changed directly. The leases, a sorted set, are kept in the same way: a member's score is its field.
local LEASES = B .. ':leases'
local cached, dirty = {}, {}
-- What was there before, for a call that fails among others: key, field, value, whether it was changed.
local journal, journal_length, is_journaled = {}, 0, false

local function fields_of(key)
  local fields = cached[key]
  if not fields then
    fields = {}
    cached[key] = fields
  end
  return fields
end

-- False where there is no such field. What was put as a number may come back as one.
local function hget(key, field)
  if type(field) == 'number' then field = tostring(field) end
  local fields = cached[key] or fields_of(key)
  local value = fields[field]
  if value == nil then
    value = call('HGET', key, field)
    fields[field] = value
  end
  return value
end

local function hmget(key, ...)
  local names, fields, missing, values = { ... }, cached[key], nil, {}
  if not fields then
    -- Nothing of it was read before.
    fields, values = fields_of(key), call('HMGET', key, ...)
    for at, name in ipairs(names) do fields[type(name) == 'number' and tostring(name) or name] = values[at] end
    return values
  end
  for at, name in ipairs(names) do
    if type(name) == 'number' then
      name = tostring(name)
      names[at] = name
    end
    if fields[name] == nil then
      missing = missing or {}
      missing[#missing + 1] = name
    end
  end
  if missing then
    local found = call('HMGET', key, unpack(missing))
    for at, name in ipairs(missing) do fields[name] = found[at] end
  end
  for at, name in ipairs(names) do values[at] = fields[name] end
  return values
end

local function put(key, field, value)
  if type(field) == 'number' then field = tostring(field) end
  local fields, changed = cached[key] or fields_of(key), dirty[key]
  if not changed then
    changed = {}
    dirty[key] = changed
  end
  if is_journaled then
    local at = journal_length
    journal[at + 1], journal[at + 2], journal[at + 3], journal[at + 4] = key, field, fields[field], changed[field]
    journal_length = at + 4
  end
  fields[field] = value
  changed[field] = true
end

local function hset(key, ...)
  local pairs_of = { ... }
  for at = 1, #pairs_of, 2 do put(key, pairs_of[at], pairs_of[at + 1]) end
end

local function hdel(key, ...)
  for _, field in ipairs({ ... }) do put(key, field, false) end
end

local function hincrby(key, field, by)
  local value = (tonumber(hget(key, field)) or 0) + by
  put(key, field, value)
  return value
end

local function hexists(key, field)
  return hget(key, field) and 1 or 0
end

-- Calls a command with more arguments than Lua hands over at once.
local function call_in_parts(command, key, arguments, count)
  count = count or #arguments
  for from = 1, count, 1000 do
    call(command, key, unpack(arguments, from, math.min(from + 999, count)))
  end
end

-- Redis writes a number with all digits that a fraction could have, which takes longer than most commands.
local function text_of(number)
  return number % 1 == 0 and format('%d', number) or number
end

local function flush()
  local set, gone = {}, {}
  for key, names in pairs(dirty) do
    local fields, is_leases, set_count, gone_count = cached[key], key == LEASES, 0, 0
    for field in pairs(names) do
      local value = fields[field]
      if value then
        if type(value) == 'number' then value = text_of(value) end
        set[set_count + 1], set[set_count + 2] = is_leases and value or field, is_leases and field or value
        set_count = set_count + 2
      else
        gone_count = gone_count + 1
        gone[gone_count] = field
      end
    end
    call_in_parts(is_leases and 'ZADD' or 'HSET', key, set, set_count)
    call_in_parts(is_leases and 'ZREM' or 'HDEL', key, gone, gone_count)
  end
  dirty = {}
end

-- What was put since `mark`, for a call that fails among others: its changes are taken back, theirs stay.
local function mark()
  is_journaled, journal_length = true, 0
end

local function take_back()
  for at = journal_length - 3, 1, -4 do
    local key, field = journal[at], journal[at + 1]
    cached[key][field], dirty[key][field] = journal[at + 2], journal[at + 3]
  end
  mark()
end

-- Fields that were read in one command by whoever knows which it needs; the table is made in its size, which `hmget` cannot.
local function keep_fields(key, read)
  local fields = cached[key]
  if not fields then
    cached[key] = read
    return read
  end
  for name, value in pairs(read) do
    if fields[name] == nil then fields[name] = value end
  end
  return fields
end

local time = call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
-- For what is given to Redis.
local NOW_TEXT = format('%d', NOW)

local EVENTS = B .. ':events'
local is_cut = false
-- What every worker has to hear of, in a stream by itself: the events of many short tasks would keep all workers reading.
local CALLS = B .. ':calls'
local IS_CALL = { ['run-cancelling'] = true, ['run-submitted'] = true, ['run-resumed'] = true }
-- The stream is cut once in a call.
local function event(run, kind, ...)
  if IS_CALL[kind] then call('XADD', CALLS, 'MAXLEN', '~', '1000', '*', 'run', run, 'type', kind) end
  if is_cut then
    call('XADD', EVENTS, '*', 'run', run, 'type', kind, ...)
  else
    call('XADD', EVENTS, 'MAXLEN', '~', 100000, '*', 'run', run, 'type', kind, ...)
    is_cut = true
  end
end
