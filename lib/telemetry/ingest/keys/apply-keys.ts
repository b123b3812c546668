import type pg from 'pg'
import { z } from 'zod'
import { type Micros, textOfMicros } from '@/lib/telemetry/micros'
import type { KeyFacts } from '../rows/fact-row'
import { keyId, type ObservedEffect } from './key-facts'
import { lockKeys } from './lock-keys'
import { REFLAG_EFFECTS } from './reflag-effects'
import { REFLAG_KEYED_REQUESTS } from './reflag-keyed-requests'
import { UPSERT_EFFECTS } from './upsert-effects'

const text = (us: Micros | null) => (us === null ? null : textOfMicros(us))

/** As GIVEN_KEYS reads it. */
const givenKey = ({ keyHash, scope, known, ...facts }: KeyFacts) => ({
  keyHash,
  scope,
  known,
  seenFirst: text(facts.seenFirst),
  seenLast: text(facts.seenLast),
  firstRequestAt: text(facts.firstRequestAt),
  expiryAt: text(facts.expiryAt),
  terminalAt: text(facts.terminalAt),
  terminalUntil: text(facts.terminalUntil),
})

const minutesSchema = z.array(z.object({ minute: z.date() }))

/** Of a statement that returns the minutes that it changed, in ms since 1970. */
export const minutesOf = ({ rows }: pg.QueryResult): number[] =>
  minutesSchema.parse(rows).map(({ minute }) => minute.getTime())

/**
 * Merges what was observed into effects, and puts right what that, or what the batch says of its keys, changes in the
 * flags of effects and keyed requests. Resolves to the minutes that changed.
 */
export async function applyKeys(
  client: pg.PoolClient,
  keys: ReadonlyMap<string, KeyFacts>,
  effects: readonly ObservedEffect[],
): Promise<number[]> {
  const withEffects = new Set<KeyFacts>()
  const observed = effects.map((effect) => {
    const facts = keys.get(keyId(effect.keyHash, effect.scope))
    if (facts === undefined) throw new Error('an effect of a key that is not locked')
    withEffects.add(facts)
    const { seenFirst, seenLast, terminalUntil } = givenKey(facts)
    return { ...effect, time: text(effect.time), seenFirst, seenLast, terminalUntil }
  })
  const all = [...keys.values()]
  const minutes: number[] = []
  // Not by name: planned for these bounds.
  const run = async (
    statement: string,
    of: readonly KeyFacts[],
    given: readonly object[] = of.map(givenKey),
  ) => {
    if (of.length === 0) return
    const first = of.reduce((least, { seenFirst }) => Math.min(least, seenFirst), Number.POSITIVE_INFINITY)
    const last = of.reduce((most, { seenLast }) => Math.max(most, seenLast), Number.NEGATIVE_INFINITY)
    const values = [textOfMicros(first), textOfMicros(last), JSON.stringify(given)]
    minutes.push(...minutesOf(await client.query(statement, values)))
  }
  await run(UPSERT_EFFECTS, [...withEffects], observed)
  await run(
    REFLAG_EFFECTS,
    all.filter((facts) => facts.effectsStale || withEffects.has(facts)),
  )
  await run(
    REFLAG_KEYED_REQUESTS,
    all.filter((facts) => facts.keyedRequestsStale || withEffects.has(facts)),
  )
  return minutes
}

/** $1 = minutes. */
const MARK_MINUTES = `
  INSERT INTO telemetry.dirty_minute (minute) SELECT DISTINCT unnest($1::timestamptz[])`

/** Of observations that are no spans: locks the keys, applies, and marks the minutes that changed. */
export async function lockAndApply(
  client: pg.PoolClient,
  keys: Map<string, KeyFacts>,
  effects: readonly ObservedEffect[],
): Promise<void> {
  await lockKeys(client, keys)
  const minutes = await applyKeys(client, keys, effects)
  if (minutes.length > 0) await client.query(MARK_MINUTES, [minutes.map((minute) => new Date(minute))])
}
