import type { RedisScript } from '../../storage/redis-connection.ts'
import { SWEEP_ROWS } from '../view/view-store.ts'

/** Rows whose time is over that one step removes from the sorted sets; Redis has removed the rows themselves. */
const PURGE_ROWS = 500
/** Rows that each batch looks for, to notice a view that has lost some. */
const SAMPLED_ROWS = 3

/**
 * One step of a view (`ViewStep`), whole or not at all. What it writes are whole rows, so a step that is repeated
 * changes nothing. A view that another owner or a higher epoch has written is not touched, and a batch that is not above
 * the one there is refused.
 *
 * KEYS: metadata, index, top, expiry, stale, then one for each row.
 * ARGV: phase, kind, overruled, owner, pipeline, epoch, log, batch, after, token, at, now, committedAt, appliedAt, watermark, format,
 * top, key columns, then key, text, score and expiry of each row ('' for null).
 */
export const VIEW_SCRIPT: RedisScript = {
  name: 'publish a view',
  lua: `
local meta, index, top, expiry, stale = unpack(KEYS, 1, 5)
local phase, kind, overruled, owner, pipeline, epoch, log, batch, after, token, at, now, committedAt, appliedAt, watermark,
  format, n, columns = unpack(ARGV, 1, 18)
local first = phase == 'whole' or phase == 'begin'
local last = phase == 'whole' or phase == 'finish'

local was = redis.call('HMGET', meta, 'owner', 'pipeline', 'epoch', 'log', 'batch', 'pending', 'rows', 'target')
if was[1] and was[1] ~= owner then return { 'foreign', was[2] or '' } end
if was[3] and was[3] ~= overruled and tonumber(was[3]) > tonumber(epoch) then return { 'fenced', was[3] } end
local stored = was[4] == log and was[5] or nil
if first and overruled == '' and stored and tonumber(stored) >= tonumber(batch) then return { 'already' } end
-- on top of the step before, or again: Redis may have come back without the steps between
local place = token .. '/' .. at
if not first and was[6] ~= place and was[6] ~= token .. '/' .. (at - 1) then return { 'behind', stored or '' } end

local function holds(key, wanted)
  local kind = redis.call('TYPE', key).ok
  return kind == wanted or kind == 'none'
end

if kind == 'delta' and first then
  -- rows of a later batch are in already: a change that was on its way for so long must not come on top of them
  if was[8] and tonumber(was[8]) > tonumber(batch) then return { 'behind', '' } end
  if stored ~= after then return { 'behind', stored or '' } end
  local sound = holds(index, 'zset') and holds(top, 'zset') and holds(expiry, 'zset')
  if not sound or redis.call('ZCARD', index) ~= tonumber(was[7] or -1) then return { 'behind', '' } end
  for _, key in ipairs(redis.call('ZRANDMEMBER', index, ${SAMPLED_ROWS})) do
    local goes = redis.call('ZSCORE', expiry, key)
    local due = goes and tonumber(goes) <= tonumber(now) + 1000
    if not due and redis.call('EXISTS', meta .. ':' .. key) == 0 then return { 'behind', '' } end
  end
end

-- first of all a write that a full Redis refuses: once a script has deleted something, all else is let through
if phase ~= 'sweep' then redis.call('HSET', meta, 'epoch', epoch) end
if phase == 'rows' then redis.call('HSET', meta, 'pending', place) end

if kind == 'rebuild' and first then
  for _, key in ipairs({ index, stale }) do
    if not holds(key, 'zset') then redis.call('DEL', key) end
  end
  if redis.call('EXISTS', stale) == 0 then
    if redis.call('EXISTS', index) == 1 then redis.call('RENAME', index, stale) end
  else
    redis.call('ZUNIONSTORE', stale, 2, stale, index)
    redis.call('DEL', index)
  end
  redis.call('DEL', top, expiry)
  redis.call('HDEL', meta, 'batch')
  redis.call('HSET', meta, 'rows', 0)
end

if first and not last then
  local status = kind == 'rebuild' and 'rebuilding' or 'updating'
  redis.call('HSET', meta, 'owner', owner, 'pipeline', pipeline, 'epoch', epoch, 'log', log, 'pending', place,
    'status', status, 'target', batch)
end

-- rows are counted beside the index, so that one that loses keys is noticed
local rows = 0
local function forget(key)
  redis.call('UNLINK', meta .. ':' .. key)
  rows = rows - redis.call('ZREM', index, key)
  redis.call('ZREM', expiry, key)
end

for _, key in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, ${PURGE_ROWS})) do forget(key) end

for row = 6, #KEYS do
  local key, text, score, goes = unpack(ARGV, 19 + (row - 6) * 4, 22 + (row - 6) * 4)
  if goes ~= '' and tonumber(goes) <= tonumber(now) then
    forget(key)
  else
    redis.call('DEL', KEYS[row])
    if format == 'json' then
      redis.call('SET', KEYS[row], text)
    else
      local fields = cjson.decode(text)
      if #fields > 0 then redis.call('HSET', KEYS[row], unpack(fields)) end
    end
    rows = rows + redis.call('ZADD', index, score == '' and '-inf' or score, key)
    if goes == '' then
      redis.call('ZREM', expiry, key)
    else
      redis.call('PEXPIREAT', KEYS[row], goes)
      redis.call('ZADD', expiry, goes, key)
    end
  end
end

if rows ~= 0 then redis.call('HINCRBY', meta, 'rows', rows) end

if phase == 'sweep' then
  local popped = redis.call('ZPOPMIN', stale, ${SWEEP_ROWS})
  for i = 1, #popped, 2 do
    if not redis.call('ZSCORE', index, popped[i]) then redis.call('UNLINK', meta .. ':' .. popped[i]) end
  end
  return { 'left', tostring(redis.call('ZCARD', stale)) }
end

if last then
  if kind == 'rebuild' and not first and redis.call('ZCARD', stale) > 0 then return { 'behind', '' } end
  if redis.call('ZCARD', index) ~= tonumber(redis.call('HGET', meta, 'rows') or 0) then return { 'behind', '' } end
  redis.call('DEL', top)
  if tonumber(n) > 0 then
    redis.call('ZRANGESTORE', top, index, '+inf', '(-inf', 'BYSCORE', 'REV', 'LIMIT', 0, n)
  end
  redis.call('HDEL', meta, 'pending', 'target')
  redis.call('HSET', meta, 'owner', owner, 'pipeline', pipeline, 'epoch', epoch, 'log', log, 'batch', batch,
    'committedAt', committedAt, 'appliedAt', appliedAt, 'watermark', watermark, 'status', 'live', 'format', format,
    'key', columns)
end
return { 'applied' }
`,
}
