import type pg from 'pg'
import { z } from 'zod'
import { MARK_MINUTES } from '../sql/mark-dirty'
import { REFLAG_EFFECTS } from '../sql/reflag-effects'
import { REFLAG_SIGHTINGS } from '../sql/reflag-sightings'
import { UPSERT_EFFECTS } from '../sql/upsert-effects'
import { type KeyFacts, keyId } from './key-facts'
import { lockKeys } from './lock-keys'

/** What one witness says about an effect of a key that is locked. */
export type WitnessedEffect = {
  keyHash: string
  scope: string
  name: string
  step: string
  effectId: string
  /** 1 span, 2 store, 3 provider */
  rank: 1 | 2 | 3
  time: string
  outcome: string
  amountMinor: string | null
  currency: string | null
  kind: string | null
  service: string | null
  version: string | null
  traceId: string | null
}

/** Of KeyFacts, as GIVEN_KEYS reads them. */
const KEY_FIELDS = [
  'keyHash',
  'scope',
  'seenFirst',
  'seenLast',
  'sightingAt',
  'expiryAt',
  'terminalAt',
  'terminalUntil',
  'known',
]

const minutesSchema = z.array(z.object({ minute: z.date() }))

/** Of a statement that returns the minutes that it changed. */
export const minutesOf = ({ rows }: pg.QueryResult): string[] =>
  minutesSchema.parse(rows).map(({ minute }) => minute.toISOString())

/**
 * Merges what was witnessed into effects, and puts right what that, or what the batch says of its keys, changes in the
 * flags of effects and sightings. Resolves to the minutes that changed.
 */
export async function applyKeys(
  client: pg.PoolClient,
  keys: ReadonlyMap<string, KeyFacts>,
  effects: readonly WitnessedEffect[],
): Promise<string[]> {
  const withEffects = new Set<KeyFacts>()
  const witnessed = effects.map((effect) => {
    const facts = keys.get(keyId(effect.keyHash, effect.scope))
    if (facts === undefined) throw new Error('an effect of a key that is not locked')
    withEffects.add(facts)
    const { seenFirst, seenLast, terminalUntil } = facts
    return { ...effect, seenFirst, seenLast, terminalUntil }
  })
  const all = [...keys.values()]
  const minutes: string[] = []
  // Not by name: planned for these bounds.
  const run = async (statement: string, of: readonly KeyFacts[], given = JSON.stringify(of, KEY_FIELDS)) => {
    if (of.length === 0) return
    const times = of.flatMap(({ seenFirst, seenLast }) => [seenFirst, seenLast]).sort()
    minutes.push(...minutesOf(await client.query(statement, [times[0], times.at(-1), given])))
  }
  await run(UPSERT_EFFECTS, [...withEffects], JSON.stringify(witnessed))
  await run(
    REFLAG_EFFECTS,
    all.filter((facts) => facts.effectsStale || withEffects.has(facts)),
  )
  await run(
    REFLAG_SIGHTINGS,
    all.filter((facts) => facts.sightingsStale || withEffects.has(facts)),
  )
  return minutes
}

/** Of witnesses that are no spans: locks the keys, applies, and marks the minutes that changed. */
export async function lockAndApply(
  client: pg.PoolClient,
  keys: Map<string, KeyFacts>,
  effects: readonly WitnessedEffect[],
): Promise<void> {
  await lockKeys(client, keys)
  const minutes = await applyKeys(client, keys, effects)
  if (minutes.length > 0) await client.query(MARK_MINUTES, [minutes])
}
