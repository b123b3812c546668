import type pg from 'pg'
import type { SystemContext } from '@/lib/context'
import { inTransaction } from '@/lib/db'
import { applyObjects, changedObjects, lockMirror } from '@/lib/mirror/apply'
import type { MirrorSource, StagedObject } from '@/lib/mirror/object'
import { observe } from './observe'

/** What staging needs beside the system's context; `inBatch` commits with each batch (checkpoint, fence). */
export type StageContext = SystemContext & {
  inBatch?: (client: pg.PoolClient) => Promise<void>
  /** Throws when the run was taken over or cancelled: asked while others work. */
  beat?: () => Promise<void>
  /** Who takes ranges, for whoever looks. */
  owner?: string
  /** Asks as many other workers for help with the ranges of a pass. */
  askForHelp?: (ranges: number) => Promise<void>
}

/**
 * Stages one batch: rows, cursor and the run's checkpoint in one transaction. Telemetry is told of what is new before
 * that, since it may be told twice but never not at all.
 */
export async function commitBatch(
  ctx: StageContext,
  source: MirrorSource,
  objects: readonly StagedObject[],
  effectNames: { charge: string; refund: string } | null,
  alsoIn: (client: pg.PoolClient, now: Date) => Promise<void>,
): Promise<void> {
  await observe(ctx, await changedObjects(ctx.db, source, objects), effectNames)
  const now = ctx.clock.now()
  await inTransaction(ctx.db.pool, async (client) => {
    await lockMirror(client, source.system)
    await applyObjects(client, source, now, objects)
    await alsoIn(client, now)
    await ctx.inBatch?.(client)
  })
}
