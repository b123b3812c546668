import { sumByCurrency } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import { type EffectCursor, listEffects, type SuspectedEffect } from '@/lib/telemetry/read/effects/effects'

const PAGE = 500
const PAGES_MAX = 4

export type AtRisk = {
  effects: SuspectedEffect[]
  /** There are more than were read: every figure made of them is a lower bound. */
  more: boolean
  amounts: ReturnType<typeof sumByCurrency>
  keys: number
  clients: number
  /** When the earliest of them happened. */
  oldestAt: Date | null
}

type Query = { kind: 'duplicate' | 'orphan'; from: Date; to: Date; openOnly?: boolean }

/** The effects that happened twice, or that nothing answers for, and what they are worth. */
export async function readAtRisk(db: Db, query: Query): Promise<AtRisk> {
  const effects: SuspectedEffect[] = []
  let cursor: EffectCursor | undefined
  let more = true
  for (let page = 0; more && page < PAGES_MAX; page++) {
    const found = await listEffects(db, { ...query, limit: PAGE, cursor })
    effects.push(...found.items)
    more = found.next !== null
    cursor = found.next ?? undefined
  }
  return {
    effects,
    more,
    amounts: sumByCurrency(effects.flatMap(({ amount }) => (amount === null ? [] : [amount]))),
    keys: new Set(effects.map(({ scope, keyHash }) => `${scope} ${keyHash}`)).size,
    clients: new Set(effects.map(({ scope }) => scope.split('/')[0])).size,
    // Newest first.
    oldestAt: effects.at(-1)?.time ?? null,
  }
}
