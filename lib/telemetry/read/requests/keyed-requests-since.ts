import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readRows } from '../rows'

const rowSchema = z.object({ since: z.date().nullable() })

/** The start of the oldest keyed request kept: min over the first partition that has one, each by its index. */
const SQL = 'SELECT min(time) AS since FROM telemetry.keyed_request'

export async function readKeyedRequestsSince(db: Db): Promise<Date | null> {
  const [row] = await readRows(db.pool, rowSchema, SQL, [])
  return row?.since ?? null
}
