import { z } from 'zod'
import { KEY_STATES, type KeyState, LOCK_VERDICTS, type LockVerdict } from '@/lib/core/states'
import type { Db } from '@/lib/db'

/** Live locks that have this state, verdict, scope and source in common. */
export type LockTally = {
  state: KeyState
  verdict: LockVerdict
  client: string
  endpoint: string
  source: string
  count: number
}

const rowSchema = z.object({
  state: z.enum(KEY_STATES),
  verdict: z.enum(LOCK_VERDICTS),
  client: z.string(),
  endpoint: z.string(),
  source: z.string(),
  count: z.number(),
})

/** Scopes are few: a caller and a route each. More groups than this and the counts are lower bounds. */
const GROUPS_MAX = 2_000

const SQL = `
  SELECT state, verdict, split_part(scope, '/', 1) AS client, substr(scope, strpos(scope, '/') + 1) AS endpoint,
    source_id AS source, count(*)::int AS count
  FROM lock WHERE gone_at IS NULL
  GROUP BY 1, 2, 3, 4, 5 ORDER BY count DESC, 1, 2, 3, 4, 5 LIMIT ${GROUPS_MAX + 1}`

/** How many live locks there are of each sort: what the filters of the page count. */
export async function tallyLocks(db: Db): Promise<{ tallies: LockTally[]; more: boolean }> {
  const { rows } = await db.pool.query(SQL)
  return {
    tallies: rows.slice(0, GROUPS_MAX).map((row) => rowSchema.parse(row)),
    more: rows.length > GROUPS_MAX,
  }
}
