import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { KeyReading, OperateOptions, SeenLease, StoredResponse, StoreOutcome } from '../contracts'
import type { RedisConfig } from './config'
import { digestOf } from './values/read-value'
import { completedValue } from './values/write-value'
import type { StoredValue } from './walk/read-values'

/**
 * Compares all that was seen (the value, and when it expires: values of two holders can be equal), and that the lease
 * has passed on the store's clock; then changes the key, in one step. The value is compared by its digest, since it may
 * hold credentials that must not be kept with what was seen.
 */
const COMPARE = `
-- By bytes, whatever the server's locale makes of a text.
local function comes_before(a, b)
  for at = 1, math.min(#a, #b) do
    local x, y = string.byte(a, at), string.byte(b, at)
    if x ~= y then return x < y end
  end
  return #a < #b
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kind = redis.call('TYPE', KEYS[1])['ok']
if kind == 'none' then return {'changed', now} end
local value
if kind == 'string' then value = redis.call('GET', KEYS[1])
elseif kind == 'hash' then
  local flat = redis.call('HGETALL', KEYS[1])
  local names, held, parts = {}, {}, {}
  for i = 1, #flat, 2 do names[#names + 1] = flat[i]; held[flat[i]] = flat[i + 1] end
  table.sort(names, comes_before)
  for _, name in ipairs(names) do
    parts[#parts + 1] = #name .. ':' .. name .. #held[name] .. ':' .. held[name]
  end
  value = table.concat(parts)
else return {'changed', now} end
if redis.sha1hex(value) .. ':' .. #value ~= ARGV[1] then return {'changed', now} end
if redis.call('PEXPIRETIME', KEYS[1]) ~= tonumber(ARGV[2]) then return {'changed', now} end
if now < tonumber(ARGV[3]) and now >= tonumber(ARGV[4]) then return {'alive', now} end
`
const DELETE = `${COMPARE} redis.call('DEL', KEYS[1]) return {'done', now}`
const WRITE_TEXT = `${COMPARE} redis.call('SET', KEYS[1], ARGV[6], 'PX', ARGV[5]) return {'done', now}`
const WRITE_FIELDS = `${COMPARE}
for i = 6, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[5]) return {'done', now}`

const answerSchema = z.tuple([z.enum(['done', 'changed', 'alive']), z.number()])
type ReadAgain = () => Promise<{ reading: KeyReading; stored: StoredValue | null }>

/** Deletes the key, so that a retry runs: with it all that a next holder's `SET NX` is compared with. */
export async function release(
  client: Redis,
  redisKey: string,
  seen: SeenLease,
  options: OperateOptions,
  readAgain: ReadAgain,
): Promise<StoreOutcome> {
  const answer = await client.eval(DELETE, 1, redisKey, ...compared(seen, options))
  return outcomeOf(answer, seen, options, readAgain)
}

/** Writes what the library replays, for the time that it keeps it. */
export async function complete(
  client: Redis,
  redisKey: string,
  seen: SeenLease,
  options: OperateOptions & { response: StoredResponse },
  config: RedisConfig,
  readAgain: ReadAgain,
): Promise<StoreOutcome> {
  const { reading, stored } = await readAgain()
  // Its request, its fingerprint and other fields stay as they are: they are read for that, and compared once more.
  if (stored === null || digestOf(stored.value) !== seen.rowVersion) return refusal(seen, options, reading)
  const written = completedValue(stored.value, options.response, config, reading.now.getTime())
  const shared = [...compared(seen, options), String(config.ttlMs)]
  const answer =
    written.kind === 'text'
      ? await client.eval(WRITE_TEXT, 1, redisKey, ...shared, written.text)
      : await client.eval(WRITE_FIELDS, 1, redisKey, ...shared, ...Object.entries(written.fields).flat())
  return outcomeOf(answer, seen, options, readAgain)
}

function compared(seen: SeenLease, { graceMs, aheadMs }: OperateOptions): string[] {
  const deadFromMs = seen.state === 'leased' ? Date.parse(seen.leaseUntil) + graceMs : 0
  // Stamps further ahead than this are of a clock that was wrong: the caller has watched its holder instead.
  const aheadFromMs = aheadMs === undefined ? 0 : Date.parse(seen.createdAt) - aheadMs
  return [seen.rowVersion ?? '', seen.fence, String(deadFromMs), String(aheadFromMs)]
}

async function outcomeOf(
  answer: unknown,
  seen: SeenLease,
  options: OperateOptions,
  readAgain: ReadAgain,
): Promise<StoreOutcome> {
  const [said, nowMs] = answerSchema.parse(answer)
  if (said === 'done') return { kind: 'done', now: new Date(nowMs) }
  return refusal(seen, options, (await readAgain()).reading)
}

/** Nothing was changed: says why, from the key as it is now; the most telling difference first. */
function refusal(seen: SeenLease, { graceMs }: OperateOptions, { now, lease }: KeyReading): StoreOutcome {
  const because = (reason: Extract<StoreOutcome, { kind: 'refused' }>['reason']): StoreOutcome => ({
    kind: 'refused',
    reason,
    now,
    current: lease,
  })
  if (lease === null) return because('gone')
  if (lease.seen.fence !== seen.fence) return because('fence_changed')
  if (lease.state === 'leased' && lease.leaseUntil.getTime() + graceMs > now.getTime())
    return because('holder_alive')
  return because('state_changed')
}
