import { z } from 'zod'
import type { Db } from '@/lib/db'

const SCOPES_MAX = 200
const SEEN_WITHIN = '24 hours'

/** From the roll-ups, which have a row a minute, whatever the traffic. */
const SQL = `
  SELECT client || '/' || endpoint AS scope, sum(requests)::text AS requests
  FROM telemetry.minute_request
  WHERE minute >= $1::timestamptz - interval '${SEEN_WITHIN}' AND client <> '' AND outcome <> 'unkeyed'
  GROUP BY 1 ORDER BY sum(requests) DESC, 1 LIMIT ${SCOPES_MAX}`

/** The scopes that keys were sent in lately, the busiest first: what one filters by. */
export async function listScopes(db: Db, now: Date): Promise<string[]> {
  const { rows } = await db.pool.query(SQL, [now])
  return rows.map((row) => z.object({ scope: z.string() }).parse(row).scope)
}
