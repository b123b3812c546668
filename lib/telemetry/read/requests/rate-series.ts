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
/** A rate that is counted: a measure, or the share of keyed requests that ran without protection. */
export type Rate = RateMeasure | 'unprotected'
/** A point exists only where something was counted: where the denominator is absent there is no rate. */
export type RatePoint = { at: Date; numerator: Count; denominator: Count }

const rowSchema = z.object({ at: z.date(), numerator: bigintColumn, denominator: bigintColumn })

const quoted = (outcomes: readonly string[]) => outcomes.map((outcome) => `'${outcome}'`).join(', ')

const SOURCE: Record<Rate, { kind: RollUpKind; columns: string; numerator: string; denominator: string }> = {
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
  unprotected: {
    kind: 'request',
    columns: 'outcome, requests',
    numerator: `sum(requests) FILTER (WHERE outcome = 'bypassed')`,
    denominator: `sum(requests) FILTER (WHERE outcome NOT IN ('unkeyed', 'held'))`,
  },
}

const OF_WINDOW =
  '($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5)'

const countsOf = ({ numerator, denominator }: { numerator: string; denominator: string }) =>
  `coalesce(${numerator}, 0)::text AS numerator, coalesce(${denominator}, 0)::text AS denominator`

const totalsSchema = rowSchema.omit({ at: true })

/** What a rate counted in a window, and of how many. */
export async function readRateTotals(
  db: Db,
  asked: TelemetryWindow & { rate: Rate },
): Promise<{ numerator: bigint; denominator: bigint }> {
  const window = toMinutes(asked)
  const source = SOURCE[asked.rate]
  const rows = rowsOfWindow(source.kind, window, 'day', `${source.columns}, service, endpoint, client`)
  const sql = `SELECT ${countsOf(source)} FROM ${rows} WHERE ${OF_WINDOW}`
  const [row] = await readRows(db.pool, totalsSchema, sql, windowParameters(window))
  return row ?? { numerator: 0n, denominator: 0n }
}

/** Only constants of this file become part of the text; the window is bound. */
function sqlOf(measure: Rate, window: TelemetryWindow, stepSeconds: number): string {
  const { kind, columns, ...counts } = SOURCE[measure]
  const dimensioned = `${columns}, service, endpoint, client`
  const coarsest = coarsestFor(stepSeconds)
  return `
    SELECT date_bin(make_interval(secs => $6), minute, 'epoch') AS at,
           ${countsOf(counts)}
    FROM ${rowsOfWindow(kind, window, coarsest, dimensioned)}
    WHERE ${OF_WINDOW}
    GROUP BY 1 ORDER BY 1`
}

/** Points a chart can show, or one each `stepSeconds`. */
export async function readRateSeries(
  db: Db,
  asked: TelemetryWindow & { measure: Rate; stepSeconds?: number },
): Promise<{ bucketSeconds: number; points: RatePoint[] }> {
  const window = toMinutes(asked)
  const step = asked.stepSeconds ?? bucketSeconds(window.from, window.to)
  const rows = await readRows(db.pool, rowSchema, sqlOf(asked.measure, window, step), [
    ...windowParameters(window),
    step,
  ])
  const points = rows
    .filter((row) => row.denominator > 0n)
    .map((row) => ({ at: row.at, numerator: toCount(row.numerator), denominator: toCount(row.denominator) }))
  return { bucketSeconds: step, points }
}
