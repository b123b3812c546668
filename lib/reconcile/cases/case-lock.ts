import type pg from 'pg'
import type { Tx } from '@/lib/db'

/** A case that a person closed, as against one that resolved by itself or was corrected. */
export const CLOSED_BY_HAND = 'by_hand'

/** Opening and closing cases of a system take turns, so that a run's residual is exact. */
export async function lockCases(client: pg.PoolClient, system: string): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('cases.' || $1, 0))`, [system])
}

export async function lockCasesIn(tx: Tx, system: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('cases.' || ${system}::text, 0))`
}
