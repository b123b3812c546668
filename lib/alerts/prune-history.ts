import type { Db } from '@/lib/db'

/** What fired is looked back at for a quarter. */
const KEEP_MS = 90 * 86_400_000
/** A batch; the next hour takes the rest. */
const BATCH_ROWS = 5_000

const PRUNE = `
  DELETE FROM alert_episode WHERE id IN (
    SELECT id FROM alert_episode
    WHERE since < $1 AND cleared_at < $1 AND incident_id IS NULL ORDER BY since LIMIT ${BATCH_ROWS}
  )`

const PRUNE_DELIVERIES = `
  DELETE FROM delivery WHERE id IN (
    SELECT id FROM delivery WHERE created_at < $1 AND state <> 'waiting' ORDER BY created_at LIMIT ${BATCH_ROWS}
  )`

/** Forgets alerts that cleared long ago, and who was told of them, except those of incidents. Returns how many. */
export async function pruneHistory(db: Db, now: Date): Promise<number> {
  const { rowCount } = await db.pool.query(PRUNE, [new Date(now.getTime() - KEEP_MS)])
  await db.pool.query(PRUNE_DELIVERIES, [new Date(now.getTime() - KEEP_MS)])
  return rowCount ?? 0
}
