import { randomUUID } from 'node:crypto'
import type { HoldRow } from '../hold-keeper'
import {
  demandHoldWords,
  HOLD_LASTS_MS_DEFAULT,
  HOLD_LASTS_MS_MAX,
  HOLDS_IN_FORCE_MAX,
  type HoldPlaced,
  type HoldPlacing,
} from '../hold-placing'
import { META, SEEN_MAX } from './layout'
import { LUA_NUMBERS } from './lua'
import { defineScript, type Run, textOf } from './script'

/** As JSON in `idem:{meta}:holds`; absent = does not apply. Times in µs on the server's clock. */
export type StoredHold = {
  kind: HoldRow['kind']
  route?: string
  caller?: string
  step?: string
  scope?: string
  key?: string
  reason: string
  placedBy: string
  placedAt: string
  endsAt: string
  liftedAt?: string
  liftedBy?: string
  liftReason?: string
}

/** What is in force, with the time that is left on the server's clock. */
const READ = defineScript(
  '#!lua flags=no-writes',
  LUA_NUMBERS,
  `
local holds = redis.call('HVALS', KEYS[1])
table.insert(holds, 1, text(now_micros()))
return holds
`,
)

/**
 * Places a hold, or says why not; the same one again under its id is placed already. What ended a day ago is forgotten here,
 * so that what every process reads stays small. It must work when memory is short: that is when things go wrong.
 */
const PLACE = defineScript(
  '#!lua flags=allow-oom',
  LUA_NUMBERS,
  `
local holds, seen = KEYS[1], KEYS[2]
local id, target, hold, lasts = ARGV[1], cjson.decode(ARGV[2]), cjson.decode(ARGV[3]), tonumber(ARGV[4])
local now = now_micros()
local stored = redis.call('HGET', holds, id)
if stored then
  local same = cjson.decode(stored)
  for _, field in ipairs({ 'kind', 'route', 'caller', 'step', 'scope', 'key', 'reason' }) do
    if same[field] ~= hold[field] then return { 'id_used' } end
  end
  return { 'placed' }
end
if lasts <= 0 then return { 'past' } end
if lasts > ${HOLD_LASTS_MS_MAX} then return { 'too_long' } end
local complete = redis.call('SCARD', seen) < ${SEEN_MAX}
for _, part in ipairs(target) do
  if complete and redis.call('SISMEMBER', seen, part.kind .. '\\n' .. part.name) == 0 then
    return { 'unknown_' .. part.kind }
  end
end
local in_force = 0
local all = redis.call('HGETALL', holds)
for at = 1, #all, 2 do
  local other = cjson.decode(all[at + 1])
  local ended = tonumber(other.liftedAt or other.endsAt)
  if ended > now and not other.liftedAt then in_force = in_force + 1 end
  if ended < now - ${HOLD_LASTS_MS_MAX} * 1000 then redis.call('HDEL', holds, all[at]) end
end
if in_force >= ${HOLDS_IN_FORCE_MAX} then return { 'too_many' } end
hold.placedAt = text(now)
hold.endsAt = text(now + lasts * 1000)
redis.call('HSET', holds, id, cjson.encode(hold))
return { 'placed' }
`,
)

/** Lifts a hold, once. */
const LIFT = defineScript(
  '#!lua flags=allow-oom',
  LUA_NUMBERS,
  `
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if not stored then return { 'unknown' } end
local hold = cjson.decode(stored)
local now = now_micros()
if hold.liftedAt or tonumber(hold.endsAt) <= now then return { 'ended' } end
hold.liftedAt, hold.liftReason, hold.liftedBy = text(now), ARGV[2], ARGV[3]
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(hold))
return { 'lifted' }
`,
)

export async function readHolds(run: Run): Promise<HoldRow[]> {
  const [now, ...stored] = (await run(READ, [META.holds], [])).map(textOf)
  return stored
    .map((json) => JSON.parse(json) as StoredHold)
    .filter(({ liftedAt, endsAt }) => liftedAt === undefined && Number(endsAt) > Number(now))
    .map(({ kind, endsAt, ...hold }) => ({
      kind,
      route: hold.route ?? null,
      caller: hold.caller ?? null,
      step: hold.step ?? null,
      scope: hold.scope ?? null,
      key: hold.key ?? null,
      leftMs: (Number(endsAt) - Number(now)) / 1_000,
    }))
}

export async function placeHold(
  run: Run,
  { id = randomUUID(), lastsMs = HOLD_LASTS_MS_DEFAULT, by, ...hold }: HoldPlacing,
): Promise<{ id: string; said: HoldPlaced }> {
  demandHoldWords(id, hold.reason, by)
  const parts = (['route', 'caller', 'scope'] as const).flatMap((kind) => {
    const name: unknown = Reflect.get(hold, kind)
    return typeof name === 'string' ? [{ kind, name }] : []
  })
  const [said] = await run(
    PLACE,
    [META.holds, META.seen],
    [id, JSON.stringify(parts), JSON.stringify({ ...hold, placedBy: by }), String(Math.trunc(lastsMs))],
  )
  return { id, said: textOf(said) as HoldPlaced }
}

export async function liftHold(
  run: Run,
  id: string,
  reason: string,
  by: string,
): Promise<'lifted' | 'ended' | 'unknown'> {
  demandHoldWords(id, reason, by)
  const [said] = await run(LIFT, [META.holds], [id, reason, by])
  return textOf(said) as 'lifted' | 'ended' | 'unknown'
}
