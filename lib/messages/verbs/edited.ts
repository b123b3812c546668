import { createHash } from 'node:crypto'
import type { Db, Tx } from '@/lib/db'

export const hashPayload = (payload: Uint8Array | undefined): string | null =>
  payload === undefined ? null : createHash('sha256').update(payload).digest('hex')

/** Kept apart from the proposal: a message may hold what no list of actions should show. */
export async function keepEdited(tx: Tx, actionId: string, payload: Uint8Array, at: Date): Promise<void> {
  await tx.$executeRaw`INSERT INTO messages.edited (action_id, payload, at) VALUES (${actionId}, ${Buffer.from(payload)}, ${at})`
}

export async function readEdited(db: Db, actionId: string): Promise<Uint8Array | undefined> {
  const { rows } = await db.pool.query<{ payload: Uint8Array }>(
    'SELECT payload FROM messages.edited WHERE action_id = $1',
    [actionId],
  )
  return rows[0]?.payload
}
