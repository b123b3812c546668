import { placeOf } from '@/sdk/stores/redis/layout'
import { LUA_NUMBERS } from '@/sdk/stores/redis/lua'
import { isUnreadable, type KeyReading, type LeaseRow, UnreadableKeyError, understand } from '../contracts'
import type { RedisConnection } from '../redis/connection'
import type { NativeRedisConfig } from './config'
import { type Fields, isGivenBack, type LiveKey, type Named, type Tiers, toLease, toWhole } from './rows'
import { dateOf, isoOf } from './stamps'

/** One step of the server: a completion is seen whole or not at all. */
const READ = `${LUA_NUMBERS}
local kind = redis.call('TYPE', KEYS[1]).ok
local answer = { text(now_micros()), kind }
if kind == 'string' then answer[3] = redis.call('GET', KEYS[1])
elseif kind == 'hash' then
  for _, part in ipairs(redis.call('HGETALL', KEYS[1])) do answer[#answer + 1] = part end
end
return answer`

export type KeyNow = { nowMicros: string } & (
  | { kind: 'absent' }
  | { kind: 'live'; live: LiveKey }
  | { kind: 'done'; stored: Buffer }
)

/** The key as it is on the primary now. */
export async function readNow(primary: RedisConnection, named: Named): Promise<KeyNow> {
  const { data } = placeOf(named.scope, named.key)
  const answer = await primary.use((client) => client.callBuffer('EVAL_RO', READ, 1, data))
  const [now, kind, ...rest] = answer as Buffer[]
  const nowMicros = String(now)
  const [stored] = rest
  if (String(kind) === 'hash')
    return { kind: 'live', nowMicros, live: { ...named, nowMicros, fields: toFields(rest.map(String)) } }
  if (String(kind) !== 'string' || stored === undefined || isGivenBack(stored))
    return { kind: 'absent', nowMicros }
  return { kind: 'done', nowMicros, stored }
}

/** Of a flat reply, in the order of the names' bytes. */
export function toFields(flat: readonly string[]): Fields {
  const fields: [string, string][] = []
  for (let at = 0; at + 1 < flat.length; at += 2) fields.push([flat[at] ?? '', flat[at + 1] ?? ''])
  return fields.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

export async function readKey(
  primary: RedisConnection,
  config: NativeRedisConfig,
  readTiers: () => Promise<Tiers>,
  named: Named,
): Promise<KeyReading> {
  const found = await readNow(primary, named)
  const now = dateOf(found.nowMicros)
  if (found.kind === 'absent') return { now, lease: null, record: null }
  if (found.kind === 'live') return { now, lease: leaseOf(found.live), record: null }
  const tiers = await readTiers()
  return {
    now,
    lease: null,
    record: orThrow(named, found, () => toWhole(named, found.stored, found.nowMicros, { config, tiers })),
  }
}

/** Throws `UnreadableKeyError` where it is there and cannot be understood. */
export const leaseOf = (live: LiveKey): LeaseRow =>
  orThrow(live, { kind: 'live', nowMicros: live.nowMicros, live }, () => toLease(live))

function orThrow<T extends object>({ scope, key }: Named, found: KeyNow, read: () => T): T {
  const place = placeOf(scope, key).data
  const row = understand(read, { place, scope, key, createdAtText: createdAtOf(found) })
  if (isUnreadable(row)) throw new UnreadableKeyError(row, dateOf(found.nowMicros))
  return row
}

/** As far as it says it. */
export function createdAtOf(found: KeyNow): string | null {
  if (found.kind !== 'live') return null
  const created = found.live.fields.find(([name]) => name === 'c')?.[1] ?? ''
  return /^\d{1,16}$/.test(created) ? isoOf(created) : null
}
