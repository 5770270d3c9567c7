import type { Script } from '../../redis/connection.ts';
import { DUPLICATE_KEY } from '../../redis/packed-message.ts';

/** How many of a room's newest ids are recognised at least when they come again; twice as many at most are kept. */
const REMEMBERED_IDS = 4_096;

/** How far a batch that was sent before is looked for in what came since, where that is more than is remembered. */
const LOOKED_THROUGH = { pages: 32, messages: 1_000 } as const;

/** How long it is remembered that a batch was sent again: longer than its first sending can lie about, in milliseconds. */
const FENCE_MS = 3_600_000;

/** The six keys of a room that live as long as it does; the seventh, the fence, always ends by itself. */
const LEASE = `
local function lease(ms)
  for i = 1, 6 do redis.call('PEXPIRE', KEYS[i], ms) end
end
`;

/**
 * The oldest seq that is kept, last + 1 when none is. The entry of a message is numbered \`seq-ts\`; both only grow, so the
 * first of an age is found by halving.
 */
const FIRST_KEPT = `
local function entry(seq)
  local found = redis.call('XRANGE', KEYS[2], string.format('%d', seq), '+', 'COUNT', 1)[1]
  if not found then return nil end
  local at, ts = string.match(found[1], '^(%d+)-(%d+)$')
  return tonumber(at), tonumber(ts)
end
local function firstKept(last, keep, oldestMs)
  local seq, ts = entry(math.max(1, last - keep + 1))
  if not seq then return last + 1 end
  if ts >= oldestMs then return seq end
  local low, high = seq + 1, last + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    seq, ts = entry(middle)
    if not seq then high = middle elseif ts < oldestMs then low = seq + 1 else high = middle end
  end
  return entry(low) or last + 1
end
`;

/** When a Redis that holds everything was first seen, in microseconds since 1970. */
const SINCE = `
local function since(key, now)
  local known = tonumber(redis.call('GET', key))
  if not known then redis.call('SET', key, string.format('%d', now)) end
  return known or now
end
local function nowUs()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
`;

/** Notes since when this Redis is in use, if it does not know. */
export const BEGIN: Script = { name: 'bcastBegin', lua: `${SINCE}\nreturn since(KEYS[1], nowUs())` };

/**
 * Opens a room. ARGV: its incarnation if it is new, lease, recovery window, how many messages are kept, the oldest time kept.
 * KEYS[8] is there where one server holds everything. Answers RECOVERING, or incarnation, first, last, last time, retained.
 */
export const OPEN: Script = {
  name: 'bcastOpen',
  lua: `${LEASE}${FIRST_KEPT}${SINCE}
-- Whether this server may have lost what nodes still know. A Cluster has no key that is in reach of every room: there it
-- goes by how long the server has been running.
local function isRecovering(windowMs)
  if windowMs == 0 then return false end
  local now = nowUs()
  local from
  if KEYS[8] then from = since(KEYS[8], now)
  else from = now - string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)') * 1000000 end
  return now >= from and now - from < windowMs * 1000
end
local head = redis.call('HMGET', KEYS[1], 'incarnation', 'last', 'ts', 'retained')
if not head[1] then
  if isRecovering(tonumber(ARGV[3])) then return 'RECOVERING' end
  redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4], KEYS[7])
  redis.call('HSET', KEYS[1], 'incarnation', ARGV[1], 'last', 0, 'ts', 0, 'retained', 0)
  head = { ARGV[1], '0', '0', '0' }
end
if head[4] ~= '1' then lease(ARGV[2]) end
local last = tonumber(head[2])
return { head[1], firstKept(last, tonumber(ARGV[4]), tonumber(ARGV[5])), last, tonumber(head[3]), tonumber(head[4]) }
`,
};

/**
 * Stores messages of one room and tells the nodes that listen. ARGV: incarnation, messages kept, lease, how long the log
 * of a retained room lives after its last message, node, number of the batch, whether it was sent before, the seq and the
 * time that the node knows of, channel, a 0 or 1 for each message (may it come again), and for each its time and itself
 * packed. Answers ABSENT, OTHER, or for each message its seq (negative: it was there) and time.
 */
export const APPEND: Script = {
  name: 'bcastAppend',
  lua: `${LEASE}
local head = redis.call('HMGET', KEYS[1], 'incarnation', 'last', 'ts', 'retained')
if not head[1] then return 'ABSENT' end
if head[1] ~= ARGV[1] then return 'OTHER' end
local keep, node, batch = tonumber(ARGV[2]), ARGV[5], tonumber(ARGV[6])
-- What the node knows may be more than what is left here after a failover: no seq is given twice.
local last = math.max(tonumber(head[2]), tonumber(ARGV[8]))
local lastTs = math.max(tonumber(head[3]), tonumber(ARGV[9]))
-- A batch that was sent again may have overtaken its first sending, which then must look for itself.
local isSentBefore = ARGV[7] == '1'
local isOvertaken = tonumber(redis.call('HGET', KEYS[7], node) or 0) >= batch
if isSentBefore then
  redis.call('HSET', KEYS[7], node, ARGV[6])
  redis.call('PEXPIRE', KEYS[7], ${FENCE_MS})
end
local again = ARGV[11]
local hasNewKeys = redis.call('EXISTS', KEYS[2], KEYS[3]) < 2
local answers, known, ids, numbers, sizes, messages = {}, {}, {}, {}, {}, {}
-- While its node was cut off others may have said more than is remembered.
if (isSentBefore or isOvertaken) and last - tonumber(ARGV[8]) > ${REMEMBERED_IDS} then
  local wanted = {}
  for i = 1, #again do wanted[string.sub(ARGV[11 + 2 * i], ${DUPLICATE_KEY.from}, ${DUPLICATE_KEY.to})] = true end
  local from = string.format('%d', ARGV[8] + 1)
  for _ = 1, ${LOOKED_THROUGH.pages} do
    local page = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', ${LOOKED_THROUGH.messages})
    for _, entry in ipairs(page) do
      local id = string.sub(entry[2][2], ${DUPLICATE_KEY.from}, ${DUPLICATE_KEY.to})
      if wanted[id] and not known[id] then known[id] = string.gsub(entry[1], '-', ' ') end
    end
    if #page < ${LOOKED_THROUGH.messages} then break end
    from = '(' .. page[#page][1]
  end
end
for i = 1, #again do
  local message = ARGV[11 + 2 * i]
  local id = string.sub(message, ${DUPLICATE_KEY.from}, ${DUPLICATE_KEY.to})
  local before
  if isSentBefore or isOvertaken or string.byte(again, i) == 49 then
    before = known[id] or redis.call('HGET', KEYS[3], id) or redis.call('HGET', KEYS[4], id)
  end
  if before then
    local seq, ts = string.match(before, '^(%d+) (%d+)$')
    answers[2 * i - 1] = -seq
    answers[2 * i] = tonumber(ts)
  else
    last = last + 1
    lastTs = math.max(lastTs, tonumber(ARGV[10 + 2 * i]))
    answers[2 * i - 1] = last
    answers[2 * i] = lastTs
    known[id] = string.format('%d %d', last, lastTs)
    ids[#ids + 1] = id
    ids[#ids + 1] = known[id]
    numbers[#numbers + 1] = string.format('%d-%d', last, lastTs)
    sizes[#sizes + 1] = string.format('%d:%d:%d', last, lastTs, #message)
    messages[#messages + 1] = message
  end
end
local count = #messages
if count > 0 then
  redis.call('HSET', KEYS[1], 'last', string.format('%d', last), 'ts', string.format('%d', lastTs))
  redis.call('HSET', KEYS[3], unpack(ids))
  for i = math.max(1, count - keep + 1), count do
    if i < count then redis.call('XADD', KEYS[2], numbers[i], 'm', messages[i])
    else redis.call('XADD', KEYS[2], 'MAXLEN', '~', keep, numbers[i], 'm', messages[i]) end
  end
  if redis.call('HLEN', KEYS[3]) > ${REMEMBERED_IDS} then
    redis.call('UNLINK', KEYS[4])
    redis.call('RENAME', KEYS[3], KEYS[4])
  end
  if head[4] == '1' then redis.call('PEXPIRE', KEYS[2], ARGV[4]) elseif hasNewKeys then lease(ARGV[3]) end
  redis.call('SPUBLISH', ARGV[10], node .. ' ' .. ARGV[1] .. ' ' .. table.concat(sizes, ',') .. '\\n' .. table.concat(messages))
end
return answers
`,
};

/**
 * What of a room can be read. ARGV: messages kept, the oldest time kept, the oldest time wanted (or ''). Answers nil, or
 * incarnation, first, last, and the oldest seq that is wanted. The messages themselves are read without a script: passing
 * them through Lua takes four times as long.
 */
export const SPAN: Script = {
  name: 'bcastSpan',
  lua: `${FIRST_KEPT}
local head = redis.call('HMGET', KEYS[1], 'incarnation', 'last')
if not head[1] then return false end
local last, keep, oldestMs = tonumber(head[2]), tonumber(ARGV[1]), tonumber(ARGV[2])
local first = firstKept(last, keep, oldestMs)
local low = first
if ARGV[3] ~= '' and tonumber(ARGV[3]) > oldestMs then low = firstKept(last, keep, tonumber(ARGV[3])) end
return { head[1], first, last, low }
`,
};

/**
 * Keeps an open room alive and lets go of what is too old. ARGV: incarnation, lease, messages kept, the oldest time kept,
 * the seq and the time that the node knows of. Answers OK, ABSENT or OTHER.
 */
export const RENEW: Script = {
  name: 'bcastRenew',
  lua: `${LEASE}${FIRST_KEPT}
local head = redis.call('HMGET', KEYS[1], 'incarnation', 'last', 'retained')
if not head[1] then return 'ABSENT' end
if head[1] ~= ARGV[1] then return 'OTHER' end
if head[3] ~= '1' then lease(ARGV[2]) end
local last = tonumber(head[2])
if last < tonumber(ARGV[5]) then
  last = tonumber(ARGV[5])
  redis.call('HSET', KEYS[1], 'last', ARGV[5], 'ts', ARGV[6])
end
local seq, ts = entry(1)
if seq and ts < tonumber(ARGV[4]) then
  local first = firstKept(last, tonumber(ARGV[3]), tonumber(ARGV[4]))
  redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%d', first))
end
return 'OK'
`,
};

/** ARGV: incarnation, 1 or 0, lease, how long the log of a retained room lives. Answers OK, ABSENT or OTHER. */
export const RETAIN: Script = {
  name: 'bcastRetain',
  lua: `${LEASE}
local incarnation = redis.call('HGET', KEYS[1], 'incarnation')
if not incarnation then return 'ABSENT' end
if incarnation ~= ARGV[1] then return 'OTHER' end
redis.call('HSET', KEYS[1], 'retained', ARGV[2])
if ARGV[2] ~= '1' then
  lease(ARGV[3])
else
  for i = 1, 6 do redis.call('PERSIST', KEYS[i]) end
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
return 'OK'
`,
};

/**
 * ARGV: incarnation, or '' for whichever, and node. A room that somebody else has begun anew stays, and so does one that
 * another node has open: KEYS[8] holds its members, by nodes. Answers for each of the room's two records whether it was there.
 */
export const FORGET: Script = {
  name: 'bcastForget',
  lua: `
local incarnation = redis.call('HGET', KEYS[1], 'incarnation')
if incarnation and ARGV[1] ~= '' and incarnation ~= ARGV[1] then return { 0, 0 } end
for _, field in ipairs(redis.call('HKEYS', KEYS[8])) do
  if string.sub(field, 1, #ARGV[2] + 1) ~= ARGV[2] .. ' ' then return { 0, 0 } end
end
local records = { redis.call('EXISTS', KEYS[5]), redis.call('EXISTS', KEYS[6]) }
redis.call('UNLINK', unpack(KEYS))
return records
`,
};

/**
 * Puts back a room that Redis has forgotten. ARGV: incarnation, last seq, last time, 1 or 0 for retained, lease, and the
 * room's two records as put would write them (or ''). Answers RESTORED, KEPT (it was there) or OTHER.
 */
export const RESTORE: Script = {
  name: 'bcastRestore',
  lua: `${LEASE}
local head = redis.call('HMGET', KEYS[1], 'incarnation', 'last', 'ts', 'retained')
if head[1] and head[1] ~= ARGV[1] then return 'OTHER' end
local last = math.max(tonumber(head[2] or 0), tonumber(ARGV[2]))
local ts = math.max(tonumber(head[3] or 0), tonumber(ARGV[3]))
local retained = head[4] or ARGV[4]
redis.call('HSET', KEYS[1], 'incarnation', ARGV[1], 'last', string.format('%d', last), 'ts', string.format('%d', ts),
  'retained', retained)
local time = redis.call('TIME')
local version = string.format('%d', time[1] * 1000000 + time[2])
for i = 5, 6 do
  if ARGV[i + 1] ~= '' then redis.call('SET', KEYS[i], version .. ' \\n' .. ARGV[i + 1], 'NX') end
end
if retained ~= '1' then lease(ARGV[5]) end
return head[1] and 'KEPT' or 'RESTORED'
`,
};

const FIND_RECORD = `
local old = redis.call('GETRANGE', KEYS[1], 0, 40)
local version, expires = string.match(old, '^(%d+) (%d*)\\n')
version = tonumber(version or 0)
local isThere = version > 0 and (expires == '' or tonumber(expires) > tonumber(ARGV[1]))
local function isOver(over)
  return over == '' or tonumber(over) == (isThere and version or 0)
end
`;

/**
 * Writes a record. ARGV: now, over (or ''), when it ends (or ''), in how many milliseconds that is (or ''), the JSON, and
 * for a record of a room, whose head is KEYS[2], the lease. Answers nil, or the version and whether it is new.
 */
export const PUT: Script = {
  name: 'bcastPut',
  lua: `${FIND_RECORD}
if not isOver(ARGV[2]) then return false end
-- Never given twice, also after the record is gone: no two scripts run within a microsecond.
local time = redis.call('TIME')
local next = math.max(version + 1, time[1] * 1000000 + time[2])
redis.call('SET', KEYS[1], string.format('%d', next) .. ' ' .. ARGV[3] .. '\\n' .. ARGV[5])
if ARGV[4] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
if KEYS[2] and redis.call('HGET', KEYS[2], 'retained') ~= '1' then
  local left = redis.call('PTTL', KEYS[2])
  if left < 0 then left = tonumber(ARGV[6]) end
  if ARGV[4] == '' or tonumber(ARGV[4]) > left then redis.call('PEXPIRE', KEYS[1], left) end
end
return { next, version == 0 and 1 or 0 }
`,
};

/** ARGV: now, over (or ''). Answers 1 when it was there. */
export const REMOVE: Script = {
  name: 'bcastRemove',
  lua: `${FIND_RECORD}
if not isThere or not isOver(ARGV[2]) then return 0 end
return redis.call('UNLINK', KEYS[1])
`,
};

export const SCRIPTS: readonly Script[] = [BEGIN, OPEN, APPEND, SPAN, RENEW, RETAIN, FORGET, RESTORE, PUT, REMOVE];
