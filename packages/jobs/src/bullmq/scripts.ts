/**
 * What changes jobs in Redis, one Lua script each, so that nobody sees half a change. A script whose answer was lost with the connection is
 * sent again: the second time it changes nothing that matters. `KEYS[1]` is the prefix of all keys, with a hash
 * tag, so that a cluster keeps them together; ids, users and JSON come as arguments. Keys after the prefix:
 *
 * ```
 * job:ID           hash: the job            line:USER   its waiting jobs by priority and sequence
 * all, state:S, user:U, children:ID         jobs by sequence
 * turns            users with waiting jobs by ticket     running     jobs that run, by user
 * events:ID        events as JSON by number              events:ID:TYPE  numbers of those that may be dropped
 * expiry           jobs by the time they expire or are forgotten         untrimmed   jobs that still have progress, by end
 * slots            BullMQ job -> our job    lost        jobs whose worker is gone
 * blob:KEY         jobs that refer to it    garbage     keys that none refers to
 * outbox:NAME      finished jobs by the time they are due                idem:HASH   job of an idempotency key
 * ```
 */
const PRELUDE = `
local P = KEYS[1]
local function call(...) return redis.call(...) end
local function job(id) return P .. 'job:' .. id end
local function get(id, field) return call('HGET', job(id), field) end
local function publish(kind, id) call('PUBLISH', P .. 'changes', kind .. ' ' .. (id or '')) end

local function event(id, kind, at, body)
  local number = call('HINCRBY', job(id), 'events', 1)
  call('ZADD', P .. 'events:' .. id, number, '{"id":' .. number .. ',"at":' .. at .. ',"type":"' .. kind .. '"' .. body .. '}')
  if kind == 'progress' or kind == 'preview' then call('ZADD', P .. 'events:' .. id .. ':' .. kind, number, number) end
  publish('job', id)
end

local function drop(id, kind, bound)
  local over = call('ZCARD', P .. 'events:' .. id .. ':' .. kind) - bound
  if over <= 0 then return end
  local numbers = call('ZPOPMIN', P .. 'events:' .. id .. ':' .. kind, over)
  for index = 1, #numbers, 2 do call('ZREMRANGEBYSCORE', P .. 'events:' .. id, numbers[index], numbers[index]) end
end

local function move(id, state)
  local old, sequence = get(id, 'state'), get(id, 'sequence')
  if old then call('ZREM', P .. 'state:' .. old, id) end
  call('ZADD', P .. 'state:' .. state, sequence, id)
  call('HSET', job(id), 'state', state)
end

local function enqueue(id, now)
  local user, workload = get(id, 'user'), get(id, 'workload')
  move(id, 'queued')
  if call('ZCARD', P .. 'line:' .. user) == 0 then call('ZADD', P .. 'turns', call('INCR', P .. 'ticket'), user) end
  -- A higher priority comes first; 2^36 jobs fit between two of them.
  local score = tonumber(get(id, 'sequence')) - tonumber(get(id, 'priority')) * 68719476736
  call('ZADD', P .. 'line:' .. user, string.format('%.0f', score), id)
  call('HINCRBY', P .. 'workloads', workload, 1)
  event(id, 'queued', now, '')
  publish('work')
end

local function dequeue(id)
  local user, workload = get(id, 'user'), get(id, 'workload')
  call('ZREM', P .. 'line:' .. user, id)
  call('ZREM', P .. 'expiry', id)
  if call('ZCARD', P .. 'line:' .. user) == 0 then call('ZREM', P .. 'turns', user) end
  if call('HINCRBY', P .. 'workloads', workload, -1) <= 0 then call('HDEL', P .. 'workloads', workload) end
end

local function stop(id)
  local user, slot = get(id, 'user'), get(id, 'slot')
  if call('HINCRBY', P .. 'running', user, -1) <= 0 then call('HDEL', P .. 'running', user) end
  if slot and call('HGET', P .. 'slots', slot) == id then call('HDEL', P .. 'slots', slot) end
  call('SREM', P .. 'lost', id)
  call('HDEL', job(id), 'token', 'slot')
end

local function finish(id, state, result, failure, now)
  move(id, state)
  local expires = string.format('%.0f', now + get(id, 'retentionMs'))
  call('HSET', job(id), 'finishedAt', now, 'expiresAt', expires)
  call('HDEL', job(id), 'cancelling')
  local body = ',"state":"' .. state .. '"'
  if result ~= '' then
    call('HSET', job(id), 'result', result)
    body = body .. ',"result":' .. result
  end
  if failure ~= '' then
    call('HSET', job(id), 'error', failure)
    body = body .. ',"error":' .. failure
  end
  call('ZADD', P .. 'expiry', expires, id)
  call('ZADD', P .. 'untrimmed', now, id)
  local outbox = get(id, 'outbox')
  if outbox then call('ZADD', P .. 'outbox:' .. outbox, now, id) end
  event(id, 'finished', now, body)
end

local function refer(id, blobs, first)
  for index = first, #blobs do
    call('SADD', P .. 'blob:' .. blobs[index], id)
    call('SADD', P .. 'blobs:' .. id, blobs[index])
  end
end

local function discard(key)
  if call('EXISTS', P .. 'blob:' .. key) == 0 then call('SADD', P .. 'garbage', key) end
end

local function forget(id)
  local state, user = get(id, 'state'), get(id, 'user')
  local parent, outbox, idem = get(id, 'parent'), get(id, 'outbox'), get(id, 'idem')
  for _, key in ipairs(call('SMEMBERS', P .. 'blobs:' .. id)) do
    call('SREM', P .. 'blob:' .. key, id)
    discard(key)
  end
  for _, set in ipairs({'all', 'state:' .. state, 'user:' .. user, 'expiry', 'untrimmed'}) do call('ZREM', P .. set, id) end
  if parent then call('ZREM', P .. 'children:' .. parent, id) end
  if outbox then call('ZREM', P .. 'outbox:' .. outbox, id) end
  if idem and call('GET', P .. 'idem:' .. idem) == id then call('DEL', P .. 'idem:' .. idem) end
  local events = P .. 'events:' .. id
  call('DEL', job(id), P .. 'blobs:' .. id, events, events .. ':progress', events .. ':preview')
  publish('job', id)
end
`;

const BODIES = {
  /** id, now, idem, idempotentUntil, user, parent, maxQueued, maxPerUser, outbox, number of fields, fields..., blobs... */
  insert: `
local id, now, idem, user, parent = ARGV[1], ARGV[2], ARGV[3], ARGV[5], ARGV[6]
if call('EXISTS', job(id)) == 1 then return {'created', call('HGETALL', job(id))} end
if idem ~= '' then
  local there = call('GET', P .. 'idem:' .. idem)
  if there and call('EXISTS', job(there)) == 1 then return {'there', call('HGETALL', job(there))} end
end
if parent ~= '' and call('EXISTS', job(parent)) == 0 then return {'parent'} end
local fields = tonumber(ARGV[10])
for index = 11 + fields, #ARGV do
  if call('SISMEMBER', P .. 'garbage', ARGV[index]) == 1 then return {'blob', ARGV[index]} end
end
if call('ZCARD', P .. 'state:queued') >= tonumber(ARGV[7]) then return {'full'} end
local unfinished = call('ZCARD', P .. 'line:' .. user) + (call('HGET', P .. 'running', user) or 0)
if unfinished >= tonumber(ARGV[8]) then return {'user'} end
local sequence = call('INCR', P .. 'sequence')
for index = 11, 10 + fields, 2 do call('HSET', job(id), ARGV[index], ARGV[index + 1]) end
call('HSET', job(id), 'id', id, 'user', user, 'sequence', sequence)
if idem ~= '' then
  call('HSET', job(id), 'idem', idem)
  call('SET', P .. 'idem:' .. idem, id, 'PXAT', ARGV[4])
end
if parent ~= '' then
  call('HSET', job(id), 'parent', parent)
  call('ZADD', P .. 'children:' .. parent, sequence, id)
end
if ARGV[9] ~= '' then call('HSET', job(id), 'outbox', ARGV[9]) end
call('ZADD', P .. 'all', sequence, id)
call('ZADD', P .. 'user:' .. user, sequence, id)
call('ZADD', P .. 'expiry', get(id, 'expiresAt'), id)
refer(id, ARGV, 11 + fields)
enqueue(id, now)
return {'created', call('HGETALL', job(id))}`,

  /** slot: its worker is gone, so its job is lost. */
  lose: `
local id = call('HGET', P .. 'slots', ARGV[1])
if not id then return 0 end
call('HDEL', P .. 'slots', ARGV[1])
call('HDEL', job(id), 'token')
call('SADD', P .. 'lost', id)
return 1`,

  /** slot, token, now: the next job in turn, for a slot that BullMQ gave. */
  take: `
local taken = call('HGET', P .. 'slots', ARGV[1])
if taken and get(taken, 'token') == ARGV[2] then return call('HGETALL', job(taken)) end
local user = call('ZRANGE', P .. 'turns', 0, 0)[1]
if not user then return nil end
local id = call('ZRANGE', P .. 'line:' .. user, 0, 0)[1]
dequeue(id)
if call('ZCARD', P .. 'line:' .. user) > 0 then call('ZADD', P .. 'turns', call('INCR', P .. 'ticket'), user) end
move(id, 'running')
call('HDEL', job(id), 'expiresAt')
call('HSET', job(id), 'slot', ARGV[1], 'token', ARGV[2], 'startedAt', ARGV[3])
call('HSET', P .. 'slots', ARGV[1], id)
call('HINCRBY', P .. 'running', user, 1)
event(id, 'running', ARGV[3], ',"attempt":' .. call('HINCRBY', job(id), 'attempts', 1))
return call('HGETALL', job(id))`,

  /** id, token, id, token...: 0 lost, 1 held, 2 cancelling. */
  renew: `
local states = {}
for index = 1, #ARGV, 2 do
  local held = get(ARGV[index], 'token') == ARGV[index + 1]
  states[#states + 1] = (held and (get(ARGV[index], 'cancelling') and 2 or 1)) or 0
end
return states`,

  /** id, token, maxEvents, maxPreviews, then for each: at, progress, preview or nothing. */
  progress: `
local id = ARGV[1]
if get(id, 'token') ~= ARGV[2] then return end
for index = 5, #ARGV, 3 do
  local at, progress, preview = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  call('HSET', job(id), 'progress', progress)
  local body = ',"progress":' .. progress
  if preview == '' then event(id, 'progress', at, body) else event(id, 'preview', at, body .. ',"preview":' .. preview) end
end
drop(id, 'progress', tonumber(ARGV[3]))
drop(id, 'preview', tonumber(ARGV[4]))`,

  /** id, token, state, result, failure, now, failure when cancelled, blobs... */
  finish: `
local id = ARGV[1]
if get(id, 'token') ~= ARGV[2] then return nil end
local cancelling = get(id, 'cancelling')
stop(id)
if cancelling then
  finish(id, 'cancelled', '', ARGV[7], ARGV[6])
  return 'cancelled'
end
refer(id, ARGV, 8)
finish(id, ARGV[3], ARGV[4], ARGV[5], ARGV[6])
return ARGV[3]`,

  /** id, token or '' for a lost one, now, lost, maxAttempts, failure, failure when cancelled. */
  release: `
local id, token = ARGV[1], get(ARGV[1], 'token')
if ARGV[2] == '' then
  if call('SISMEMBER', P .. 'lost', id) == 0 then return 0 end
elseif token ~= ARGV[2] then return 0 end
local cancelling = get(id, 'cancelling')
stop(id)
call('HDEL', job(id), 'progress')
if ARGV[4] == '1' then call('HINCRBY', job(id), 'losses', 1) end
if cancelling then finish(id, 'cancelled', '', ARGV[7], ARGV[3])
elseif tonumber(get(id, 'losses') or 0) >= tonumber(ARGV[5]) then finish(id, 'failed', '', ARGV[6], ARGV[3])
else
  enqueue(id, ARGV[3])
  return 2
end
return 1`,

  /** id, now, failure */
  cancel: `
local id, state = ARGV[1], get(ARGV[1], 'state')
if state == 'queued' then
  dequeue(id)
  finish(id, 'cancelled', '', ARGV[3], ARGV[2])
elseif state == 'running' then
  call('HSET', job(id), 'cancelling', 1)
  publish('job', id)
  publish('cancelling', id)
end
return call('HGETALL', job(id))`,

  /** id */
  remove: `
local state = get(ARGV[1], 'state')
if state and state ~= 'queued' and state ~= 'running' then forget(ARGV[1]) end
return state`,

  /** now, failure, limit: ids of waiting jobs that expired, and how many were due. */
  expire: `
local due = call('ZRANGEBYSCORE', P .. 'expiry', '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
local expired = {}
for _, id in ipairs(due) do
  if get(id, 'state') == 'queued' then
    dequeue(id)
    finish(id, 'expired', '', ARGV[2], ARGV[1])
    expired[#expired + 1] = id
  else forget(id) end
end
return {#due, expired}`,

  /** before, limit */
  trim: `
local ids = call('ZRANGEBYSCORE', P .. 'untrimmed', '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
  drop(id, 'progress', 0)
  drop(id, 'preview', 0)
  call('ZREM', P .. 'untrimmed', id)
end
return #ids`,

  /** ids...: jobs before each, -1 for one that does not wait. */
  positions: `
local turns = call('ZRANGE', P .. 'turns', 0, -1, 'WITHSCORES')
local counts = {}
for index = 1, #turns, 2 do counts[index] = call('ZCARD', P .. 'line:' .. turns[index]) end
local positions = {}
for place, id in ipairs(ARGV) do
  local user = get(id, 'user')
  local ahead = user and call('ZRANK', P .. 'line:' .. user, id)
  positions[place] = -1
  if ahead then
    local ticket = tonumber(call('ZSCORE', P .. 'turns', user))
    local position = ahead
    for index = 1, #turns, 2 do
      if turns[index] ~= user then
        position = position + math.min(counts[index], ahead + (tonumber(turns[index + 1]) < ticket and 1 or 0))
      end
    end
    positions[place] = position
  end
end
return positions`,

  /** outbox, now, due again: the job and how often it was taken. */
  takeDelivery: `
local id = call('ZRANGEBYSCORE', P .. 'outbox:' .. ARGV[1], '-inf', ARGV[2], 'LIMIT', 0, 1)[1]
if not id then return nil end
call('ZADD', P .. 'outbox:' .. ARGV[1], ARGV[3], id)
return {call('HINCRBY', job(id), 'deliveries', 1), call('HGETALL', job(id))}`,

  /** id, due again or nothing */
  settleDelivery: `
local outbox = get(ARGV[1], 'outbox')
if not outbox then return end
if ARGV[2] == '' then call('ZREM', P .. 'outbox:' .. outbox, ARGV[1])
else call('ZADD', P .. 'outbox:' .. outbox, 'XX', ARGV[2], ARGV[1]) end`,

  /** keys... */
  discard: `for _, key in ipairs(ARGV) do discard(key) end`,
} as const;

export type ScriptName = keyof typeof BODIES;

/** Name and source of each. */
export const SCRIPTS: readonly (readonly [ScriptName, string])[] = Object.entries(BODIES).map(
  ([name, body]) => [name as ScriptName, `${PRELUDE}${body}`] as const,
);
