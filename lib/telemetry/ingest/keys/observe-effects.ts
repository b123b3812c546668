import type { Clock } from '@/lib/core/clock'
import type { Money } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import { microsOf } from '@/lib/telemetry/micros'
import { ensureDays } from '@/lib/telemetry/partitions'
import { EFFECT_DAYS, FUTURE_MAX_MS } from '@/lib/telemetry/retention'
import { DAY_MS } from '@/lib/telemetry/window'
import { inRetriedTransaction } from '../retried-transaction'
import type { KeyFacts } from '../rows/fact-row'
import { lockAndApply } from './apply-keys'
import { openKey } from './key-facts'

export type EffectObservation = {
  name: string
  step: string
  scope: string
  /** 32 hex characters */
  keyHash: string
  /** '' when the observer has none */
  effectId: string
  at: Date
  amount: Money | null
  outcome: 'committed' | 'skipped' | 'failed' | 'unknown'
  observer: 'store' | 'provider'
}

const RANK = { store: 2, provider: 3 } as const
/** Bounds one transaction and its locks. */
const CHUNK_ROWS = 2_000

/**
 * Adds what the store or the provider knows of effects; flags and minutes follow as for spans. Saying the same
 * twice changes nothing. Observations older than the retention of effects, or of the future, are skipped and counted.
 */
export async function observeEffects(
  db: Db,
  clock: Clock,
  observations: readonly EffectObservation[],
): Promise<{ stored: number; skipped: number }> {
  const nowMs = clock.now().getTime()
  const kept = observations.filter(({ at }) => {
    const atMs = at.getTime()
    return atMs > nowMs - EFFECT_DAYS * DAY_MS && atMs < nowMs + FUTURE_MAX_MS
  })
  const days = [...new Set(kept.map(({ at }) => Math.floor(at.getTime() / DAY_MS)))]
  for (const day of days) await ensureDays(db, ['effect'], new Date(day * DAY_MS), new Date(day * DAY_MS))
  for (let first = 0; first < kept.length; first += CHUNK_ROWS) {
    await storeObservations(db, kept.slice(first, first + CHUNK_ROWS))
  }
  return { stored: kept.length, skipped: observations.length - kept.length }
}

async function storeObservations(db: Db, observations: readonly EffectObservation[]): Promise<void> {
  const effects = observations.map(({ at, amount, observer, ...each }) => ({
    ...each,
    rank: RANK[observer],
    time: microsOf(at),
    amountMinor: amount?.minor.toString() ?? null,
    currency: amount?.currency ?? null,
    kind: null,
    service: null,
    version: null,
    traceId: null,
  }))
  await inRetriedTransaction(db.pool, async (client) => {
    const keys = new Map<string, KeyFacts>()
    for (const { keyHash, scope, time } of effects) openKey(keys, keyHash, scope, time)
    await lockAndApply(client, keys, effects)
  })
}
