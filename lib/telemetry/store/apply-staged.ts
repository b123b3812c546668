import type pg from 'pg'
import { LOCK_KEYS } from '../sql/lock-keys'
import { MARK_DIRTY } from '../sql/mark-dirty'
import { REFLAG_EFFECTS } from '../sql/reflag-effects'
import { REFLAG_SIGHTINGS } from '../sql/reflag-sightings'
import { UPSERT_EFFECTS } from '../sql/upsert-effects'

/** From staged facts of store and provider witnesses and of terminal marks to rows and flags. */
export async function applyStaged(client: pg.PoolClient): Promise<void> {
  await client.query(LOCK_KEYS)
  await applyTouched(client)
}

/** From the facts of the keys in `touched`, which are locked, to effects, flags and dirty minutes. */
export async function applyTouched(client: pg.PoolClient): Promise<void> {
  await client.query(UPSERT_EFFECTS)
  await client.query(REFLAG_EFFECTS)
  await client.query(REFLAG_SIGHTINGS)
  await client.query(MARK_DIRTY)
}
