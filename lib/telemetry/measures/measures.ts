import type { Db } from '@/lib/db'
import { readCoverage } from '../read/coverage'
import { readDeliveryTotals } from '../read/delivery-totals'
import { readEffectTotals } from '../read/effects/effect-totals'
import { readOrphanTotals } from '../read/effects/orphan-totals'
import { readIntake } from '../read/intake'
import { readKeyedRequestsSince } from '../read/requests/keyed-requests-since'
import { readMergedLatency } from '../read/requests/latency-buckets'
import { readRequestTotals } from '../read/requests/request-totals'
import { readStoreGrowth } from '../read/store-growth'
import { type TelemetryWindow, toMinutes } from '../window'
import {
  duplicateDeliveries,
  duplicateEffects,
  duplicateRequests,
  expiredRetries,
  orphanedEffects,
  storeErrors,
} from './define-rates'
import { corrections, intentToFinal, pages, storeGrowth } from './define-values'
import type { Measure, MeasureInputs } from './measure'

/**
 * M1–M10 exactly as stores.md defines them, over whole minutes: `from` is rounded down and `to` up to a minute.
 * They rest on roll-ups; `detail.pendingMinutes` of M1–M5 and M8 counts the minutes that changed since theirs.
 */
export async function readMeasures(
  db: Db,
  asked: TelemetryWindow,
  now: Date,
  inputs: MeasureInputs = {},
): Promise<Measure[]> {
  const window = toMinutes(asked)
  const seconds = Math.max(60, (window.to.getTime() - window.from.getTime()) / 1000)
  const [requests, effects, deliveries, orphans, coverage, latency, intake, since, growth] =
    await Promise.all([
      readRequestTotals(db, window),
      readEffectTotals(db, window),
      readDeliveryTotals(db, window),
      readOrphanTotals(db, window),
      readCoverage(db, window),
      readMergedLatency(db, window),
      readIntake(db, window, seconds),
      readKeyedRequestsSince(db),
      readStoreGrowth(db, window.from, window.to),
    ])
  const arrived = intake.some((row) => row.arrived)
  const pendingMinutes = Number(intake.reduce((sum, row) => sum + row.dirty, 0n))
  const context = { arrived, inputs, now, since, window }
  const rolledUp = [
    duplicateRequests(requests, coverage, context),
    duplicateEffects(effects, context),
    storeErrors(requests, context),
    intentToFinal(latency, context),
    expiredRetries(requests, context),
  ].map((measure) => ({ ...measure, detail: { ...measure.detail, pendingMinutes } }))
  return [
    ...rolledUp,
    orphanedEffects(orphans, effects.committed, context),
    corrections(context),
    duplicateDeliveries(deliveries, context),
    storeGrowth(growth),
    pages(context),
  ]
}
