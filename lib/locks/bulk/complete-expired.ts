import { z } from 'zod'
import type { Context, SystemContext } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import type { Db } from '@/lib/db'
import { type KeySettings, keySettings } from '../settings'
import { createSnapshot, SNAPSHOT_EXPIRES_MS, type SnapshotView } from './snapshots'

/** What one proposal looks at; a snapshot itself takes at most 100. */
const LISTED_MAX = 200

export type Completable = {
  lockId: string
  source: string
  scope: string
  key: string
  acquiredAt: string
  /** When the provider forgets its idempotency key: after it nothing is proposed. */
  windowEndsAt: string
  reason: string
}

export type CompletionProposal = {
  completable: Completable[]
  /** Stuck with a known effect, but the provider's window has passed: a person has to look. */
  tooLate: Completable[]
  windowMs: number
}

const rowSchema = z.object({
  id: z.string(),
  source_id: z.string(),
  scope: z.string(),
  key: z.string(),
  acquired_at: z.date(),
  verdict_reason: z.string(),
})

/** Stuck keys whose last check found the effect at the provider and the answer recoverable, the oldest first. */
const STUCK = `
  SELECT id, source_id, scope, key, acquired_at, verdict_reason FROM lock
  WHERE gone_at IS NULL AND verdict = 'complete' AND state IN ('lease_expired', 'unknown', 'retryable')
    AND ($1::text IS NULL OR source_id = $1)
  ORDER BY acquired_at, id LIMIT ${LISTED_MAX}`

/**
 * The completer: expired leases with a known effect, as a proposal. It completes nothing by itself. Past the provider's
 * window a completion is never proposed: what was begun then may have been begun again since.
 */
export async function proposeCompletions(
  ctx: Pick<SystemContext, 'clock'> & { db: Db },
  input: { source?: string | undefined } = {},
  settings: KeySettings = keySettings(),
): Promise<CompletionProposal> {
  const { rows } = await ctx.db.pool.query(STUCK, [input.source ?? null])
  const nowMs = ctx.clock.now().getTime()
  const all = rows.map((raw) => toCompletable(rowSchema.parse(raw), settings))
  // Still in time when the snapshot that is made from it comes to its end.
  const inTime = (each: Completable) =>
    Date.parse(each.windowEndsAt) - settings.skewMs - SNAPSHOT_EXPIRES_MS > nowMs
  return {
    completable: all.filter(inTime),
    tooLate: all.filter((each) => !inTime(each)),
    windowMs: settings.providerWindowMs,
  }
}

/**
 * Takes a snapshot of what is proposed now, for a person to look at and carry out with executeSnapshot. Each key is inspected again:
 * store and provider are read, and whatever changed is excluded with its reason.
 */
export async function snapshotCompletions(
  ctx: Context,
  input: { source?: string | undefined } = {},
  settings: KeySettings = keySettings(),
): Promise<SnapshotView> {
  authorise(ctx, 'lock.complete')
  const { tooLate } = await proposeCompletions(ctx, input, settings)
  const filter = {
    verdict: ['complete'],
    ...(input.source === undefined ? {} : { source: input.source }),
  }
  return createSnapshot(ctx, 'complete', filter, settings, new Set(tooLate.map(({ lockId }) => lockId)))
}

const toCompletable = (row: z.infer<typeof rowSchema>, settings: KeySettings): Completable => ({
  lockId: row.id,
  source: row.source_id,
  scope: row.scope,
  key: row.key,
  acquiredAt: row.acquired_at.toISOString(),
  windowEndsAt: new Date(row.acquired_at.getTime() + settings.providerWindowMs).toISOString(),
  reason: row.verdict_reason,
})
