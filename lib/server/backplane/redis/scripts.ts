import type { Script } from '../../redis/connection.ts';

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Who holds a name: \`subject\`, \`was\` (the same before it was registered, or after), \`holder\`, and for each session, as
 * \`node session\`, when its lease ends. \`mine\`: what stands in front of this node's sessions.
 */
const READ_NAME = `${NOW}
local subject, was, holder, others, own = nil, nil, nil, 0, {}
local record = redis.call('HGETALL', KEYS[1])
local function isMine(field)
  return string.sub(field, 1, #ARGV[1] + 1) == ARGV[1] .. ' '
end
for i = 1, #record, 2 do
  local field, value = record[i], record[i + 1]
  if field == 'subject' then subject = value
  elseif field == 'was' then was = value
  elseif field == 'holder' then holder = value
  elseif tonumber(value) <= now then redis.call('HDEL', KEYS[1], field)
  elseif isMine(field) then own[field] = true
  else others = others + 1 end
end
local function ownCount(except)
  local count = 0
  for field in pairs(own) do if field ~= except then count = count + 1 end end
  return count
end
`;

/**
 * Holds a name for one more session. ARGV: node, session, subject, holder, the most sessions, lease. Answers OK, IN_USE or
 * TOO_MANY.
 */
export const CLAIM: Script = {
  name: 'bcastClaim',
  lua: `${READ_NAME}
local field = ARGV[1] .. ' ' .. ARGV[2]
local sessions = others + ownCount(field)
if sessions > 0 and subject ~= ARGV[3] then return 'IN_USE' end
if sessions >= tonumber(ARGV[5]) then return 'TOO_MANY' end
if sessions == 0 then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'subject', ARGV[3], 'holder', ARGV[4])
end
redis.call('HSET', KEYS[1], field, string.format('%d', now + ARGV[6]))
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 'OK'
`,
};

/**
 * Says that a node still holds a name, and which of its sessions do. ARGV: node, subject, holder, lease, sessions. Answers OK,
 * or LOST when somebody else holds it by now.
 */
export const HOLD: Script = {
  name: 'bcastHold',
  lua: `${READ_NAME}
local isOther = subject ~= ARGV[2] and was ~= ARGV[2]
for field in pairs(own) do redis.call('HDEL', KEYS[1], field) end
if others > 0 and isOther then return 'LOST' end
if isOther then redis.call('HSET', KEYS[1], 'subject', ARGV[2], 'holder', ARGV[3]) end
for i = 5, #ARGV do redis.call('HSET', KEYS[1], ARGV[1] .. ' ' .. ARGV[i], string.format('%d', now + ARGV[4])) end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 'OK'
`,
};

/** ARGV: node, session. */
export const RELEASE: Script = {
  name: 'bcastRelease',
  lua: `${READ_NAME}
local field = ARGV[1] .. ' ' .. ARGV[2]
redis.call('HDEL', KEYS[1], field)
if others + ownCount(field) == 0 then redis.call('DEL', KEYS[1]) end
return 'OK'
`,
};

/** Of a name that this node holds. ARGV: node, subject, holder. */
export const DESCRIBE: Script = {
  name: 'bcastDescribe',
  lua: `${READ_NAME}
if ownCount() == 0 then return 'ABSENT' end
if subject ~= ARGV[2] then redis.call('HSET', KEYS[1], 'was', subject) end
redis.call('HSET', KEYS[1], 'subject', ARGV[2], 'holder', ARGV[3])
return 'OK'
`,
};

/** ARGV: node. Answers nil, or the holder and how many sessions hold the name. */
export const FIND: Script = {
  name: 'bcastFind',
  lua: `${READ_NAME}
local sessions = others + ownCount()
if sessions == 0 or not holder then return false end
return { holder, sessions }
`,
};

/**
 * A node's sign of life. ARGV: node, after how long without one a node counts as gone, after how long without one of anybody
 * it was Redis that was away. Answers whether the node had counted as gone itself, and all that are there.
 */
export const BEAT: Script = {
  name: 'bcastBeat',
  lua: `${NOW}
local seen = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local newest = tonumber(seen[#seen] or 0)
local wasAway = now - newest > tonumber(ARGV[3])
local isKnown = false
for i = 1, #seen, 2 do
  if wasAway then redis.call('ZADD', KEYS[1], now, seen[i])
  elseif now - tonumber(seen[i + 1]) > tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], seen[i])
  elseif seen[i] == ARGV[1] then isKnown = true end
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 4)
local answer = redis.call('ZRANGE', KEYS[1], 0, -1)
table.insert(answer, 1, isKnown and 'KNOWN' or 'NEW')
return answer
`,
};

/**
 * The members of a room, as \`node name\` and holder; a node that has it open stands there as \`node \` alone. ARGV: node, how
 * long that is to last. Answers all of them.
 */
export const ENTER: Script = {
  name: 'bcastEnter',
  lua: `
redis.call('HSET', KEYS[1], ARGV[1] .. ' ', '')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('HGETALL', KEYS[1])
`,
};

/** A member came, went or changed. ARGV: field, holder (or ''), how long that is to last, channel, news. */
export const MEMBER: Script = {
  name: 'bcastMember',
  lua: `
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SPUBLISH', ARGV[4], ARGV[5])
return 'OK'
`,
};

/**
 * All members by way of one node, in place of what is there. ARGV: node, how long that is to last, channel, news, and each
 * field and holder.
 */
export const ASSERT: Script = {
  name: 'bcastAssert',
  lua: `
local front, wanted = ARGV[1] .. ' ', { [ARGV[1] .. ' '] = '' }
for i = 5, #ARGV, 2 do wanted[ARGV[i]] = ARGV[i + 1] end
local there = redis.call('HGETALL', KEYS[1])
for i = 1, #there, 2 do
  if string.sub(there[i], 1, #front) == front then
    if wanted[there[i]] == there[i + 1] then wanted[there[i]] = nil
    elseif not wanted[there[i]] then redis.call('HDEL', KEYS[1], there[i]) end
  end
end
for field, holder in pairs(wanted) do redis.call('HSET', KEYS[1], field, holder) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SPUBLISH', ARGV[3], ARGV[4])
return 'OK'
`,
};

/** Keeps the members of a room. ARGV: node, for how long. Answers 0 when they have been forgotten. */
export const KEEP: Script = {
  name: 'bcastKeep',
  lua: `
if redis.call('HEXISTS', KEYS[1], ARGV[1] .. ' ') == 0 then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`,
};

/** A node has the room open no more, or is gone. ARGV: node. */
export const LEAVE: Script = {
  name: 'bcastLeave',
  lua: `
local front = ARGV[1] .. ' '
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, #front) == front then redis.call('HDEL', KEYS[1], field) end
end
return 'OK'
`,
};

export const BACKPLANE_SCRIPTS: readonly Script[] = [
  CLAIM,
  HOLD,
  RELEASE,
  DESCRIBE,
  FIND,
  BEAT,
  ENTER,
  MEMBER,
  ASSERT,
  KEEP,
  LEAVE,
];
