import { z } from 'zod'
import type { Db } from '@/lib/db'
import {
  DUPLICATE_OUTCOMES,
  EXECUTION_OUTCOMES,
  UNCOUNTED_OUTCOMES,
} from '@/lib/telemetry/measures/define-rates'
import { type Count, toCount } from '@/lib/telemetry/measures/measure'
import { coarsestFor, rowsOfWindow } from '@/lib/telemetry/rollup/roll-up-rows'
import type { RollUpKind } from '@/lib/telemetry/rollup/roll-up-steps'
import { bucketSeconds, type TelemetryWindow, toMinutes, windowParameters } from '@/lib/telemetry/window'
import { bigintColumn, readRows } from '../rows'

export type RateMeasure = 'M1' | 'M2' | 'M3' | 'M5' | 'M8'
/** A point exists only where something was counted: where the denominator is absent there is no rate. */
export type RatePoint = { at: Date; numerator: Count; denominator: Count }

const rowSchema = z.object({ at: z.date(), numerator: bigintColumn, denominator: bigintColumn })

const quoted = (outcomes: readonly string[]) => outcomes.map((outcome) => `'${outcome}'`).join(', ')

const SOURCE: Record<
  RateMeasure,
  { kind: RollUpKind; columns: string; numerator: string; denominator: string }
> = {
  M1: {
    kind: 'request',
    columns: 'outcome, requests',
    numerator: `sum(requests) FILTER (WHERE outcome IN (${quoted(DUPLICATE_OUTCOMES)}))`,
    denominator: `sum(requests) FILTER (WHERE outcome NOT IN (${quoted(UNCOUNTED_OUTCOMES)}))`,
  },
  M2: {
    kind: 'effect',
    columns: 'committed, duplicates',
    numerator: 'sum(duplicates)',
    denominator: 'sum(committed)',
  },
  M3: {
    kind: 'request',
    columns: 'store_operations, store_errors',
    numerator: 'sum(store_errors)',
    denominator: 'sum(store_operations)',
  },
  M5: {
    kind: 'request',
    columns: 'outcome, requests, expired_retries',
    numerator: 'sum(expired_retries)',
    denominator: `sum(requests) FILTER (WHERE outcome IN (${quoted(EXECUTION_OUTCOMES)}))`,
  },
  M8: {
    kind: 'delivery',
    columns: 'messages, redeliveries',
    numerator: 'sum(redeliveries)',
    denominator: 'sum(messages)',
  },
}

/** Only constants of this file become part of the text; the window is bound. */
function sqlOf(measure: RateMeasure, window: TelemetryWindow, stepSeconds: number): string {
  const { kind, columns, numerator, denominator } = SOURCE[measure]
  const dimensioned = `${columns}, service, endpoint, client`
  const coarsest = coarsestFor(stepSeconds)
  return `
    SELECT date_bin(make_interval(secs => $6), minute, 'epoch') AS at,
           coalesce(${numerator}, 0)::text AS numerator, coalesce(${denominator}, 0)::text AS denominator
    FROM ${rowsOfWindow(kind, window, coarsest, dimensioned)}
    WHERE ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5)
    GROUP BY 1 ORDER BY 1`
}

export async function readRateSeries(
  db: Db,
  asked: TelemetryWindow & { measure: RateMeasure },
): Promise<{ bucketSeconds: number; points: RatePoint[] }> {
  const window = toMinutes(asked)
  const step = bucketSeconds(window.from, window.to)
  const rows = await readRows(db.pool, rowSchema, sqlOf(asked.measure, window, step), [
    ...windowParameters(window),
    step,
  ])
  const points = rows
    .filter((row) => row.denominator > 0n)
    .map((row) => ({ at: row.at, numerator: toCount(row.numerator), denominator: toCount(row.denominator) }))
  return { bucketSeconds: step, points }
}
