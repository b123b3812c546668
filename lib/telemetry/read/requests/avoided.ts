import { z } from 'zod'
import type { Db } from '@/lib/db'
import { rollUpRows } from '@/lib/telemetry/rollup/roll-up-rows'
import { toMinutes } from '@/lib/telemetry/window'
import { bigintColumn, readRows } from '../rows'

const ENDPOINTS_MAX = 200
/** What the store answered instead of letting the operation run again: its record, or that it runs already. */
const AVOIDED: readonly string[] = ['replayed', 'waited', 'in_progress']

const rowSchema = z.object({ endpoint: z.string(), avoided: bigintColumn, executed_again: bigintColumn })
export type Avoided = z.infer<typeof rowSchema>

const SQL = `
  SELECT endpoint, coalesce(sum(requests) FILTER (WHERE outcome = ANY ($3)), 0)::text AS avoided,
    sum(expired_retries)::text AS executed_again
  FROM ${rollUpRows('request', 'day', 'outcome, requests, expired_retries, endpoint')}
  WHERE outcome <> 'unkeyed'
  GROUP BY endpoint ORDER BY sum(requests) DESC, endpoint LIMIT ${ENDPOINTS_MAX}`

/** Requests that a record kept from executing again, and retries that came after it had expired; the busiest endpoints first. */
export function readAvoided(db: Db, window: { from: Date; to: Date }): Promise<Avoided[]> {
  const { from, to } = toMinutes(window)
  return readRows(db.pool, rowSchema, SQL, [from, to, AVOIDED])
}
