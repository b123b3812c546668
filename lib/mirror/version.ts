import { z } from 'zod'
import type { Db } from '@/lib/db'

const rowSchema = z.object({ version: z.coerce.bigint() })

/**
 * The version of what is about to be asked: an answer is as old as its question. Drawn from one sequence, so that it
 * rests on no clock: one that was ahead would shut out what is read after it was put right.
 */
export async function nextVersion(db: Pick<Db, 'pool'>): Promise<bigint> {
  const { rows } = await db.pool.query(`SELECT nextval('mirror.version') AS version`)
  return rowSchema.parse(rows[0]).version
}
