import type { Db } from '@/lib/db'

/** Whether minutes changed that no roll-up has done yet. */
export async function hasDirtyMinutes(db: Db): Promise<boolean> {
  const { rows } = await db.pool.query<{ dirty: boolean }>(
    'SELECT EXISTS (SELECT FROM telemetry.dirty_minute) AS dirty',
  )
  return rows[0]?.dirty === true
}
