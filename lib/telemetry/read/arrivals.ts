import { z } from 'zod'
import type { Db } from '@/lib/db'
import { NO_ROUTE } from '../interpret/request'
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
  /** Requests without `http.route`: the endpoint is not known. */
  unrouted: number
}

const rowSchema = z.object({
  service: z.string(),
  spans: z.coerce.number(),
  logs: z.coerce.number(),
  late: z.coerce.number(),
  future: z.coerce.number(),
  unrouted: z.coerce.number(),
})

const SQL = `
  SELECT service, sum(spans)::text AS spans, sum(logs)::text AS logs, sum(late)::text AS late, sum(future)::text AS future,
         (SELECT coalesce(sum(requests), 0)::text FROM telemetry.minute_request r
          WHERE r.minute >= $1 AND r.minute < $2 AND r.service = i.service AND r.endpoint LIKE $3) AS unrouted
  FROM telemetry.minute_intake i WHERE minute >= $1 AND minute < $2
  GROUP BY service ORDER BY service LIMIT 1000`

/** What each service sent, by when it started. A service that sent nothing has no row. */
export async function readArrivals(db: Db, asked: { from: Date; to: Date }): Promise<Arrivals[]> {
  const { from, to } = toMinutes(asked)
  return readRows(db.pool, rowSchema, SQL, [from, to, `%${NO_ROUTE}`])
}
