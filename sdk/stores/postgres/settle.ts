import type { Completed, Ended, Holder, StoredResponse } from '../store'
import { recordStateOf } from '../store'
import type { StoreDatabase } from './database'
import type { Transaction } from './transaction'

export type CompletedRow = { created_at: Date | null; expires_at: Date | null }

/** Completes where the fence matches, alone or in a transaction that is open. */
export async function completeLease(
  db: StoreDatabase,
  holder: Holder,
  response: StoredResponse,
  transaction?: Transaction,
): Promise<Completed | 'stale'> {
  const values = completionOf(holder, response)
  const row =
    transaction === undefined
      ? await db.callOne<CompletedRow>('idem_complete', values)
      : await db.callWithin<CompletedRow>(transaction, 'idem_complete', values)
  return toCompleted(row)
}

export const completionOf = (holder: Holder, response: StoredResponse): unknown[] => [
  holder.scope,
  holder.key,
  holder.fence,
  recordStateOf(response.status) === 'failed_final' ? 'F' : 'C',
  response.status,
  response.headers.length === 0 ? null : JSON.stringify(response.headers),
  response.body.byteLength === 0 ? null : response.body,
]

export function toCompleted(row: CompletedRow): Completed | 'stale' {
  if (row.created_at === null || row.expires_at === null) return 'stale'
  return { createdAt: row.created_at, expiresAt: row.expires_at }
}

export async function giveBackLease(db: StoreDatabase, holder: Holder): Promise<Ended> {
  const row = await db.callOne<{ idem_give_back: Ended }>('idem_give_back', [
    holder.scope,
    holder.key,
    holder.fence,
  ])
  return row.idem_give_back
}

export async function abandonLease(db: StoreDatabase, holder: Holder): Promise<Ended> {
  const row = await db.callOne<{ idem_abandon: Ended }>('idem_abandon', [
    holder.scope,
    holder.key,
    holder.fence,
  ])
  return row.idem_abandon
}

export async function heartbeatLease(db: StoreDatabase, holder: Holder, leaseMs: number): Promise<boolean> {
  const values = [holder.scope, holder.key, holder.fence, leaseMs]
  return (await db.callOne<{ idem_heartbeat: boolean }>('idem_heartbeat', values)).idem_heartbeat
}
