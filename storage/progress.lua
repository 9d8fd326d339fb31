-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The one writer of sohoa:* (progress.h says what the keys hold). Runs as a whole or is refused as a whole.
-- ARGV: our epoch, the minute since 1970, events kept, minutes and hours kept, then operations: a name and its arguments each.
-- Counters grow by what really changed in a bitmap or hash, so that repeating an operation counts nothing twice.

local ours, minute = tonumber(ARGV[1]), tonumber(ARGV[2])
local events_kept, minutes_kept, hours_kept = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local first_op = 6
local call = redis.call
local epoch = tonumber(call('GET', 'sohoa:epoch'))

if epoch and epoch > ours then
    return redis.error_reply(string.format('E_FENCED Redis follows epoch %.0f, ours is %.0f', epoch, ours))
end
if ARGV[first_op] == 'assert' then
    return call('SET', 'sohoa:epoch', ARGV[1])
end
if epoch ~= ours then
    return redis.error_reply('E_STATE Redis does not hold our epoch: what it holds may be older')
end

local batch, unit = '', ''
local batch_key, stored_key, dead_key, unit_key
local known = {}    -- batches named in sohoa:batches by this call
local sums = {}     -- key -> field -> how much it grows: written once, at the end
local finished = 0

local function concern(id, of_unit)
    batch, unit = id, of_unit
    batch_key = 'sohoa:batch:' .. id
    stored_key, dead_key = batch_key .. ':stored', batch_key .. ':dead'
    unit_key = 'sohoa:unit:' .. of_unit
end

local function know()
    if batch ~= '' and not known[batch] then
        call('SADD', 'sohoa:batches', batch)
        known[batch] = true
    end
end

local function sum(key, field, delta)
    local of_key = sums[key]
    if not of_key then
        of_key = {}
        sums[key] = of_key
    end
    of_key[field] = (of_key[field] or 0) + delta
end

local function sums_write()
    for key, fields in pairs(sums) do
        for field, delta in pairs(fields) do
            if delta ~= 0 then
                call('HINCRBY', key, field, delta)
            end
        end
    end
    sums = {}
end

-- The unit's part of a change of the batch.
local function unit_grow(field, delta)
    if unit ~= '' and delta ~= 0 and (field == 'pages' or field:sub(1, 6) == 'pages_') then
        sum(unit_key, field, delta)
    end
end

local function grow(field, delta)
    if delta ~= 0 and batch ~= '' then
        know()
        sum(batch_key, field, delta)
    end
    unit_grow(field, delta)
end

local function finish(field, pages)
    grow(field, pages)
    if pages > 0 then
        finished = finished + pages
    end
end

-- Up to 32 bits in one write: a Lua number holds them exactly.
local function bits_fill_few(first, count, on)
    if count > 0 then
        call('BITFIELD', stored_key, 'SET', 'u' .. count, first, on and 2 ^ count - 1 or 0)
    end
end

local function bits_fill(first, count, on)
    if count <= 32 then
        return bits_fill_few(first, count, on)
    end
    local head = (8 - first % 8) % 8
    local bytes = math.floor((count - head) / 8)
    local tail = count - head - bytes * 8
    bits_fill_few(first, head, on)
    call('SETRANGE', stored_key, (first + head) / 8, string.rep(on and '\255' or '\0', bytes))
    bits_fill_few(first + head + bytes * 8, tail, on)
end

-- Returns by how many the bits that are set grew.
local function bits_turn(first, count, on)
    if count == 1 then
        return (on and 1 or 0) - call('SETBIT', stored_key, first, on and 1 or 0)
    end
    local had = call('BITCOUNT', stored_key, first, first + count - 1, 'BIT')
    local want = on and count or 0
    if had ~= want then
        bits_fill(first, count, on)
    end
    return want - had
end

-- Combines the bytes from at on with mask. What serves only the reckoning stays out of the AOF and the replicas.
local function bits_mask(how, at, mask)
    local last = at + #mask - 1
    local had = call('BITCOUNT', stored_key, at, last)
    redis.set_repl(redis.REPL_NONE)
    call('SET', 'sohoa:mask', mask)
    call('SET', 'sohoa:bytes', call('GETRANGE', stored_key, at, last))
    call('BITOP', how, 'sohoa:bytes', 'sohoa:bytes', 'sohoa:mask')
    local bytes = call('GET', 'sohoa:bytes')
    call('DEL', 'sohoa:mask', 'sohoa:bytes')
    redis.set_repl(redis.REPL_ALL)
    call('SETRANGE', stored_key, at, bytes)
    return call('BITCOUNT', stored_key, at, last) - had
end

-- So many pages were finished in the step (a minute, an hour) that is now; the oldest steps go.
local function rate_grow(key, now, kept, pages)
    call('HINCRBY', key, now, pages)
    if call('HLEN', key) <= kept then
        return
    end
    for _, past in ipairs(call('HKEYS', key)) do
        if tonumber(past) <= now - kept then
            call('HDEL', key, past)
        end
    end
end

-- Each gets the place of its first argument and returns the place of the next operation.
local op = {}

function op.batch(at)
    concern(ARGV[at], ARGV[at + 1])
    return at + 2
end

function op.set(at)
    finish('pages_stored', bits_turn(tonumber(ARGV[at]), tonumber(ARGV[at + 1]), true))
    return at + 2
end

function op.clear(at)
    finish('pages_stored', bits_turn(tonumber(ARGV[at]), tonumber(ARGV[at + 1]), false))
    return at + 2
end

function op.mask(at)
    finish('pages_stored', bits_mask(ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2]))
    return at + 3
end

function op.dead(at)
    finish('pages_dead', call('HSET', dead_key, ARGV[at], ARGV[at + 1]))
    return at + 2
end

function op.undead(at)
    finish('pages_dead', -call('HDEL', dead_key, ARGV[at]))
    return at + 1
end

function op.add(at)
    grow(ARGV[at], tonumber(ARGV[at + 1]))
    return at + 2
end

function op.put(at)
    local field, value = ARGV[at], ARGV[at + 1]
    sums_write() -- what was added before is to be overwritten, not added after
    if batch == '' then
        call('HSET', unit_key, field, value)
        return at + 2
    end
    know()
    unit_grow(field, (tonumber(value) or 0) - (tonumber(call('HGET', batch_key, field)) or 0))
    call('HSET', batch_key, field, value)
    return at + 2
end

function op.event(at)
    call('XADD', 'sohoa:events', 'MAXLEN', '~', events_kept, '*',
         'type', ARGV[at], 'batch', batch, 'text', ARGV[at + 1])
    return at + 2
end

function op.worker(at)
    if ARGV[at + 1] == '' then
        call('HDEL', 'sohoa:workers', ARGV[at])
    else
        call('HSET', 'sohoa:workers', ARGV[at], ARGV[at + 1])
    end
    return at + 2
end

function op.told(at)
    if ARGV[at + 1] ~= '' then
        call('HSET', 'sohoa:told', ARGV[at], ARGV[at + 1])
    elseif ARGV[at] == '*' then
        call('DEL', 'sohoa:told')
    else
        call('HDEL', 'sohoa:told', ARGV[at])
    end
    return at + 2
end

-- A rewrite: the batch starts anew with this bitmap, and its unit without what the batch had.
function op.replace(at)
    local had = call('HGETALL', batch_key)
    for i = 1, #had, 2 do
        unit_grow(had[i], -(tonumber(had[i + 1]) or 0))
    end
    call('DEL', batch_key, stored_key, dead_key)
    know()
    if ARGV[at] ~= '' then
        call('SET', stored_key, ARGV[at])
        grow('pages_stored', call('BITCOUNT', stored_key))
    end
    return at + 1
end

-- A dead page of a rewrite: not finished in this minute.
function op.mark(at)
    grow('pages_dead', call('HSET', dead_key, ARGV[at], ARGV[at + 1]))
    return at + 2
end

-- Drops some of our keys but the epoch, and what nobody could rebuild: how fast it went, and who was told what; answers where to go on, "0" at the end.
local function drop(cursor)
    local answer = call('SCAN', cursor, 'MATCH', 'sohoa:*', 'COUNT', 1000)
    for _, key in ipairs(answer[2]) do
        if key ~= 'sohoa:epoch' and key ~= 'sohoa:told' and key:sub(1, 10) ~= 'sohoa:rate' then
            call('DEL', key)
        end
    end
    return answer[1]
end

if ARGV[first_op] == 'drop' then
    return drop(ARGV[first_op + 1])
end

local at = first_op
while at <= #ARGV do
    at = op[ARGV[at]](at + 1)
end
sums_write()
if finished > 0 then
    rate_grow('sohoa:rate', minute, minutes_kept, finished)
    rate_grow('sohoa:rate:hours', math.floor(minute / 60), hours_kept, finished)
end
return redis.status_reply('OK')
