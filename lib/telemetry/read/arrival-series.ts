import { z } from 'zod'
import type { Db } from '@/lib/db'
import { bucketSeconds, bucketStarts, toMinutes } from '../window'
import { readRows } from './rows'

export type ArrivalPoint = {
  at: Date
  /** that started in this step; 0 = a gap in intake */
  spans: number
  logs: number
  /** of both, what started more than LATE_AFTER_MS before it was received */
  late: number
  /** of both, what starts more than FUTURE_AFTER_MS after it was received: a clock is wrong */
  future: number
}

const rowSchema = z.object({
  at: z.date(),
  spans: z.coerce.number(),
  logs: z.coerce.number(),
  late: z.coerce.number(),
  future: z.coerce.number(),
})

const SQL = `
  SELECT date_bin(make_interval(secs => $4), minute, 'epoch') AS at, sum(spans)::text AS spans, sum(logs)::text AS logs, sum(late)::text AS late,
         sum(future)::text AS future
  FROM telemetry.minute_intake
  WHERE minute >= $1 AND minute < $2 AND ($3::text IS NULL OR service = $3)
  GROUP BY 1`

/** What arrived, by when it started, in at most 300 steps; every step is there, also one in which nothing arrived. */
export async function readArrivalSeries(
  db: Db,
  asked: { from: Date; to: Date; service?: string | undefined },
): Promise<{ bucketSeconds: number; points: ArrivalPoint[] }> {
  const window = toMinutes(asked)
  const step = bucketSeconds(window.from, window.to)
  const rows = await readRows(db.pool, rowSchema, SQL, [window.from, window.to, window.service ?? null, step])
  const byStart = new Map(rows.map((row) => [row.at.getTime(), row]))
  const points = bucketStarts(window.from, window.to, step).map(
    (at) => byStart.get(at.getTime()) ?? { at, spans: 0, logs: 0, late: 0, future: 0 },
  )
  return { bucketSeconds: step, points }
}
