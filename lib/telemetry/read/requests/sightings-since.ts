import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readRows } from '../rows'

const rowSchema = z.object({ since: z.date().nullable() })

/** The start of the oldest sighting kept: min over the first leaf that has one, each by its index. */
const SQL = 'SELECT min(time) AS since FROM telemetry.sighting'

export async function readSightingsSince(db: Db): Promise<Date | null> {
  const [row] = await readRows(db.pool, rowSchema, SQL, [])
  return row?.since ?? null
}
