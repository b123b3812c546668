import type { Db } from '@/lib/db'

/** Whether any side effect was ever told of: without one, that none happened twice says nothing. */
export async function hasEffects(db: Db): Promise<boolean> {
  const { rows } = await db.pool.query<{ known: boolean }>(
    'SELECT EXISTS (SELECT FROM telemetry.effect) AS known',
  )
  return rows[0]?.known === true
}
