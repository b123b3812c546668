import type pg from 'pg'
import { LOCK_KEYS } from '../sql/lock-keys'
import { MARK_DIRTY } from '../sql/mark-dirty'
import { REFLAG_EFFECTS } from '../sql/reflag-effects'
import { REFLAG_SIGHTINGS } from '../sql/reflag-sightings'
import { UPSERT_EFFECTS } from '../sql/upsert-effects'

/**
 * From staged facts to rows and flags: the one path of span batches, of store and provider witnesses and of
 * terminal marks. `insertEvents` runs while the keys are locked.
 */
export async function applyStaged(client: pg.PoolClient, insertEvents?: () => Promise<void>): Promise<void> {
  await client.query(LOCK_KEYS)
  await insertEvents?.()
  await client.query(UPSERT_EFFECTS)
  await client.query(REFLAG_EFFECTS)
  await client.query(REFLAG_SIGHTINGS)
  await client.query(MARK_DIRTY)
}
