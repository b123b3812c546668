import { z } from 'zod'
import type { Context } from '@/lib/context'
import { actorRef } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { BULK_MAX } from '@/lib/core/bulk'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { toJsonValue } from '@/lib/core/json-value'
import { type MoneyJson, moneyToJson, sumByCurrency } from '@/lib/core/money'
import { REFUSAL_TEXT, type RefusalReason } from '@/lib/core/refusals'
import { KEY_STATES, type KeyAction, LOCK_VERDICTS } from '@/lib/core/states'
import { env } from '@/lib/env'
import { openIntentSource } from '@/lib/sources/registry'
import { createProviderAsker } from '../assess/ask-provider'
import { type Asker, inspect } from '../assess/inspect'
import { formatLockVersion } from '../assess/lock-version'
import { notInBulk } from '../fail/propose'
import { type LockView, listLocks } from '../list-locks'
import { type KeySettings, keySettings } from '../settings'
import { readUnlisted, type Unlisted } from '../unlisted'

export const SNAPSHOT_EXPIRES_MS = 15 * 60_000
const SAMPLES_SHOWN = 10

export const lockFilterSchema = z.strictObject({
  state: z.array(z.enum(KEY_STATES)).optional(),
  verdict: z.array(z.enum(LOCK_VERDICTS)).optional(),
  source: z.string().optional(),
  scope: z.string().optional(),
  key: z.string().optional(),
  ids: z.array(z.string().startsWith('lock_')).min(1).max(BULK_MAX).optional(),
  endpoint: z.string().optional(),
  client: z.string().optional(),
  stuckOnly: z.boolean().optional(),
})

export const snapshotItemSchema = z.object({
  lockId: z.string(),
  sourceId: z.string(),
  scope: z.string(),
  key: z.string(),
  version: z.string(),
})
export type SnapshotItem = z.infer<typeof snapshotItemSchema>

export type SnapshotExclusion = {
  lockId: string
  scope: string
  key: string
  reason: RefusalReason | 'over_limit'
  text: string
}

export type SnapshotView = {
  snapshotId: string
  verb: KeyAction
  environment: string
  count: number
  totals: MoneyJson[]
  samples: SnapshotItem[]
  excluded: SnapshotExclusion[]
  /** Stores with locks that may match too, and are not listed. */
  unlisted: Unlisted[]
  expiresAt: string
}

/**
 * Takes a snapshot of what a filter matches now, for a look before acting: the same inspection as the execution, which is then done on
 * exactly these ids and versions. What arrives later is untouched.
 */
export async function createSnapshot(
  ctx: Context,
  verb: KeyAction,
  rawFilter: unknown,
  settings: KeySettings = keySettings(),
  /** Locks whose provider's window has passed, by a caller that counts it (the completer). */
  tooLate: ReadonlySet<string> = new Set(),
): Promise<SnapshotView> {
  authorise(ctx, `lock.${verb}`)
  if (verb === 'fail') throw notInBulk()
  const filter = lockFilterSchema.safeParse(rawFilter)
  if (!filter.success) {
    throw new AppError(
      'invalid',
      filter.error.issues.map((issue) => `filter.${issue.path.join('.')}: ${issue.message}`).join('; '),
    )
  }
  const now = ctx.clock.now()
  const matched = await listLocks(ctx.db, filter.data, { limit: BULK_MAX * 2 }, now)
  const inTime = matched.items.slice(0, BULK_MAX).filter((lock) => !tooLate.has(lock.id))
  const late = matched.items.slice(0, BULK_MAX).filter((lock) => tooLate.has(lock.id))
  const looked = await inspectAll(ctx, verb, inTime, settings)
  const over = matched.items.slice(BULK_MAX).map((lock) => excluded(lock, 'over_limit'))
  const exclusions = [...looked.excluded, ...late.map((lock) => excluded(lock, 'window_passed')), ...over]
  const preview = {
    environment: env().IDEMSCOPE_ENVIRONMENT,
    count: looked.items.length,
    totals: sumByCurrency(looked.amounts).map(moneyToJson),
    samples: looked.items.slice(0, SAMPLES_SHOWN),
    excluded: exclusions,
    unlisted: await readUnlisted(ctx.db, filter.data),
  }
  const snapshot = await ctx.db.prisma.snapshot.create({
    data: {
      id: newId('snap'),
      verb,
      filter: toJsonValue(filter.data) as object,
      items: looked.items,
      preview: toJsonValue(preview) as object,
      createdBy: actorRef(ctx.actor),
      createdAt: now,
      expiresAt: new Date(now.getTime() + SNAPSHOT_EXPIRES_MS),
    },
  })
  return { snapshotId: snapshot.id, verb, ...preview, expiresAt: snapshot.expiresAt.toISOString() }
}

async function inspectAll(ctx: Context, verb: KeyAction, locks: readonly LockView[], settings: KeySettings) {
  const askers = new Map<string, Asker>()
  const items: SnapshotItem[] = []
  const exclusions: SnapshotExclusion[] = []
  const amounts: { minor: bigint; currency: string }[] = []
  for (const lock of locks) {
    const { system } = await openIntentSource(ctx, lock.source)
    const asker = askers.get(system) ?? createProviderAsker(ctx, system, settings)
    askers.set(system, asker)
    const target = { sourceId: lock.source, scope: lock.scope, key: lock.key, seen: null }
    const inspection = await inspect(ctx, verb, target, settings, asker)
    if (inspection.kind === 'refused') {
      exclusions.push(excluded(lock, inspection.reason))
      continue
    }
    const { reading } = inspection
    items.push({
      lockId: lock.id,
      sourceId: lock.source,
      scope: lock.scope,
      key: lock.key,
      version: formatLockVersion(reading.version),
    })
    const amount = reading.assessment.effect?.amount
    if (amount !== undefined) amounts.push({ minor: BigInt(amount.minor), currency: amount.currency })
  }
  return { items, excluded: exclusions, amounts }
}

function excluded(lock: LockView, reason: SnapshotExclusion['reason']): SnapshotExclusion {
  const text =
    reason === 'over_limit'
      ? `Only ${BULK_MAX} at once, since more would need a second person: run it again for the rest.`
      : REFUSAL_TEXT[reason]
  return { lockId: lock.id, scope: lock.scope, key: lock.key, reason, text }
}
