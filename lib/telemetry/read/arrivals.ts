import { z } from 'zod'
import type { Db } from '@/lib/db'
import { toMinutes } from '../window'
import { readRows } from './rows'

export type Arrivals = {
  service: string
  spans: number
  logs: number
  /** of both, what started more than LATE_AFTER_MS before it was received */
  late: number
  /** of both, what starts more than FUTURE_AFTER_MS after it was received: a clock is wrong */
  future: number
}

const rowSchema = z.object({
  service: z.string(),
  spans: z.coerce.number(),
  logs: z.coerce.number(),
  late: z.coerce.number(),
  future: z.coerce.number(),
})

const SQL = `
  SELECT service, sum(spans)::text AS spans, sum(logs)::text AS logs, sum(late)::text AS late, sum(future)::text AS future
  FROM telemetry.minute_intake WHERE minute >= $1 AND minute < $2
  GROUP BY service ORDER BY service LIMIT 1000`

/** What each service sent, by when it started. A service that sent nothing has no row. */
export async function readArrivals(db: Db, asked: { from: Date; to: Date }): Promise<Arrivals[]> {
  const { from, to } = toMinutes(asked)
  return readRows(db.pool, rowSchema, SQL, [from, to])
}
