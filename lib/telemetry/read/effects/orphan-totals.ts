import { z } from 'zod'
import type { Db } from '@/lib/db'
import { type TelemetryWindow, windowParameters } from '@/lib/telemetry/window'
import { bigintColumn, readRows } from '../rows'

const rowSchema = z.object({ detected: bigintColumn, open: bigintColumn, known: z.boolean() })
export type OrphanTotals = z.infer<typeof rowSchema>

/**
 * Orphans are few and have their own partial index, so they are counted from the rows. `known` = there is any
 * effect at all, of any time: without one, "no orphans" says nothing.
 */
const SQL = `
  SELECT count(*) FILTER (WHERE orphan_at >= $1 AND orphan_at < $2)::text AS detected,
         count(*) FILTER (WHERE NOT settled AND outcome = 'committed')::text AS open,
         EXISTS (SELECT FROM telemetry.effect) AS known
  FROM telemetry.effect
  WHERE orphan_at IS NOT NULL
    AND ($3::text IS NULL OR service = $3)
    AND ($4::text IS NULL OR substr(scope, strpos(scope, '/') + 1) = $4)
    AND ($5::text IS NULL OR split_part(scope, '/', 1) = $5)`

export async function readOrphanTotals(db: Db, window: TelemetryWindow): Promise<OrphanTotals> {
  const [row] = await readRows(db.pool, rowSchema, SQL, windowParameters(window))
  return row ?? { detected: 0n, open: 0n, known: false }
}
