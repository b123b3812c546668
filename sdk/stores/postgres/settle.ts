import type { PoolClient } from 'pg'
import type { Completed, Ended, Holder, StoredResponse } from '../store'
import { recordStateOf } from '../store'
import type { StoreDatabase } from './database'

/** Completes where the fence matches; with a client, in that client's transaction. */
export async function completeLease(
  db: StoreDatabase,
  holder: Holder,
  response: StoredResponse,
  client?: PoolClient,
): Promise<Completed | 'stale'> {
  const row = await db.callOne<{ created_at: Date | null; expires_at: Date | null }>(
    'idem_complete',
    [
      holder.scope,
      holder.key,
      holder.fence,
      recordStateOf(response.status) === 'failed_final' ? 'F' : 'C',
      response.status,
      response.headers.length === 0 ? null : JSON.stringify(response.headers),
      response.body.byteLength === 0 ? null : response.body,
    ],
    client,
  )
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
