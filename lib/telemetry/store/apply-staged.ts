import type pg from 'pg'
import { z } from 'zod'
import { LOCK_KEYS } from '../sql/lock-keys'
import { MARK_DIRTY } from '../sql/mark-dirty'
import { REFLAG_EFFECTS, TOUCHED_BOUNDS } from '../sql/reflag-effects'
import { REFLAG_SIGHTINGS } from '../sql/reflag-sightings'
import { UPSERT_EFFECTS } from '../sql/upsert-effects'
import { queryPrepared } from './prepared'

/** From staged facts of store and provider witnesses and of terminal marks to rows and flags. */
export async function applyStaged(client: pg.PoolClient): Promise<void> {
  await queryPrepared(client, LOCK_KEYS)
  await applyTouched(client, { effects: true })
}

const boundsSchema = z.tuple([z.object({ first: z.string().nullable(), last: z.string().nullable() })])

/** From the facts of the keys in `touched`, which are locked, to effects, flags and dirty minutes. */
export async function applyTouched(client: pg.PoolClient, staged: { effects: boolean }): Promise<void> {
  const [{ first, last }] = boundsSchema.parse((await queryPrepared(client, TOUCHED_BOUNDS)).rows)
  // Not by name: planned for these bounds. Without keys there is nothing to do but to mark.
  if (first !== null)
    for (const statement of [...(staged.effects ? [UPSERT_EFFECTS] : []), REFLAG_EFFECTS, REFLAG_SIGHTINGS])
      await client.query(statement, [first, last])
  await queryPrepared(client, MARK_DIRTY)
}
