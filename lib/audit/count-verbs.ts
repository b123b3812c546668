import { z } from 'zod'
import type { Db } from '@/lib/db'

const COUNTED_MAX = 10_000

const rowSchema = z.object({ verb: z.string(), count: z.number() })

/** The newest entries of a window by verb; at most 10,000 are counted. */
const SQL = `
  SELECT verb, count(*)::int AS count
  FROM (SELECT verb FROM audit_entry WHERE at >= $1 AND at < $2 ORDER BY at DESC LIMIT ${COUNTED_MAX}) AS newest
  GROUP BY verb ORDER BY verb`

export async function countVerbs(db: Db, from: Date, to: Date): Promise<{ verb: string; count: number }[]> {
  const { rows } = await db.pool.query(SQL, [from, to])
  return z.array(rowSchema).parse(rows)
}
