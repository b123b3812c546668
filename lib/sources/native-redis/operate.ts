import { z } from 'zod'
import { placeOf } from '@/sdk/stores/redis/layout'
import { LUA_NUMBERS } from '@/sdk/stores/redis/lua'
import {
  nothingChanged,
  type OperateOptions,
  type SeenLease,
  type SettledEffect,
  type StoredResponse,
  type StoreOutcome,
} from '../contracts'
import { refusalOf } from '../native/refusal'
import type { RedisConnection } from '../redis/connection'
import { writeEffects } from './effects'
import { type KeyNow, leaseOf, readNow } from './read-key'
import { type LiveKey, stepsIn } from './rows'
import { dateOf } from './stamps'

/**
 * Everything that was seen, field by field, and the holder dead on the server's clock; then one step changes the key, its
 * index entry and the shard's fence. The raised fence shuts the old holder out, and another acquire is above it. A lease
 * whose stamps lie ahead of this clock is dead when the caller has watched it (`ahead` is given). It works where memory is
 * short, as the SDK's own completion does.
 */
const COMPARE = `#!lua flags=allow-oom
${LUA_NUMBERS}
local data, live, fence_key = KEYS[1], KEYS[2], KEYS[3]
local member, grace, ahead, seen_count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = now_micros()
if redis.call('TYPE', data).ok ~= 'hash' or redis.call('HLEN', data) ~= seen_count then return { 'changed', text(now) } end
for at = 5, 4 + 2 * seen_count, 2 do
  if redis.call('HGET', data, ARGV[at]) ~= ARGV[at + 1] then return { 'changed', text(now) } end
end
local s, f, u, c, h = unpack(redis.call('HMGET', data, 's', 'f', 'u', 'c', 'h'))
local is_ahead = ahead and math.max(tonumber(c), tonumber(h)) - ahead > now
if s == 'L' and tonumber(u) + grace > now and not is_ahead then return { 'alive', text(now) } end
local fence = math.max(now, tonumber(redis.call('GET', fence_key) or '0') + 1, tonumber(f) + 1)
local rest = 5 + 2 * seen_count
`

/** Kept, with its steps, as retryable. Its nonce stays: an acquire that is sent again and comes late is not let in. */
const RELEASE = `${COMPARE}
redis.call('SET', fence_key, text(fence))
redis.call('HSET', data, 's', 'R', 'f', text(fence), 'u', text(now), 'o', ARGV[rest])
redis.call('HDEL', data, 'e')
redis.call('ZADD', live, text(now), member)
return { 'done', text(now) }`

/** The hash becomes the record's string under a new fence: a late completion of the old holder is not told that it is its own. */
const END = `${COMPARE}
local state, status, headers, effects, body = unpack(ARGV, rest)
local n, p, i, t, l = unpack(redis.call('HMGET', data, 'n', 'p', 'i', 't', 'l'))
local head = table.concat({ '1', state, text(fence), n, c, text(now + tonumber(l) * 1000), status, p, i or '-', t, #headers, #effects }, ' ')
redis.call('SET', fence_key, text(fence))
redis.call('ZREM', live, member)
redis.call('SET', data, head .. ' ' .. headers .. effects .. body, 'PX', l)
return { 'done', text(now) }`

const answerSchema = z.tuple([z.enum(['done', 'changed', 'alive']), z.string()])

type Written = { script: string; values(live: LiveKey): string[] }

export const release = (primary: RedisConnection, seen: SeenLease, options: OperateOptions) =>
  change(primary, seen, options, { script: RELEASE, values: () => [`idemscope:${options.actionId}`] })

export const end = (
  primary: RedisConnection,
  seen: SeenLease,
  options: OperateOptions & { response: StoredResponse; settled?: readonly SettledEffect[] },
  state: 'completed' | 'failed_final',
) =>
  change(primary, seen, options, {
    script: END,
    values({ fields, nowMicros }) {
      const { status, headers, body } = options.response
      const pairs = Object.entries(headers)
      return [
        ...[state === 'completed' ? 'C' : 'F', String(status)],
        pairs.length === 0 ? '' : JSON.stringify(pairs),
        ...[writeEffects(stepsIn(fields), options.settled ?? [], nowMicros), body],
      ]
    },
  })

/** Read, compared, and changed where all of it is still so. */
async function change(
  primary: RedisConnection,
  seen: SeenLease,
  options: OperateOptions,
  { script, values }: Written,
): Promise<StoreOutcome> {
  const before = await readLease(primary, seen).catch(nothingChanged)
  if (before.kind !== 'live' || before.rowVersion !== seen.rowVersion) return refusal(seen, options, before)
  const { member, data, live, fence } = placeOf(seen.scope, seen.key)
  const { fields } = before.live
  const ahead = options.aheadMs === undefined ? '' : String(options.aheadMs * 1_000)
  const args = [member, String(options.graceMs * 1_000), ahead, String(fields.length), ...fields.flat()]
  const [said, now] = answerSchema.parse(
    await primary.use((client) =>
      client.call('EVAL', script, 3, data, live, fence, ...args, ...values(before.live)),
    ),
  )
  if (said === 'done') return { kind: 'done', now: dateOf(now) }
  return refusal(seen, options, await readNow(primary, seen))
}

async function readLease(primary: RedisConnection, seen: SeenLease) {
  const found = await readNow(primary, seen)
  return found.kind === 'live' ? { ...found, rowVersion: leaseOf(found.live).seen.rowVersion } : found
}

function refusal(seen: SeenLease, options: OperateOptions, found: KeyNow): StoreOutcome {
  const lease = found.kind === 'live' ? leaseOf(found.live) : null
  return refusalOf(seen, options, { now: dateOf(found.nowMicros), lease })
}
