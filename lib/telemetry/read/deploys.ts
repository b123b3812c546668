import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readRows } from './rows'

const rowSchema = z.object({
  at: z.date(),
  service: z.string(),
  version: z.string(),
  environment: z.string(),
})
export type Deploy = z.infer<typeof rowSchema>

/** The first version of a service is its arrival, not a deploy. */
const SQL = `
  SELECT d.first_seen_at AS at, d.service, d.version, d.environment
  FROM telemetry.deploy d
  WHERE d.first_seen_at >= $1 AND d.first_seen_at < $2
    AND EXISTS (SELECT FROM telemetry.deploy e
                WHERE (e.service, e.environment) = (d.service, d.environment) AND e.first_seen_at < d.first_seen_at)
  ORDER BY d.first_seen_at, d.service, d.version LIMIT 200`

/** Versions first seen in the window: marks on the charts. */
export function readDeploys(db: Db, window: { from: Date; to: Date }): Promise<Deploy[]> {
  return readRows(db.pool, rowSchema, SQL, [window.from, window.to])
}
