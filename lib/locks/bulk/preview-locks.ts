import type { Context } from '@/lib/context'
import { BULK_MAX } from '@/lib/core/bulk'
import type { LockFilter } from '@/lib/core/lock-filter'
import type { KeyAction } from '@/lib/core/states'
import { zombieText } from '@/lib/sources/explain-capabilities'
import { type LockView, listLocks } from '../list-locks'
import { type KeySettings, keySettings } from '../settings'
import { readUnlisted, type Unlisted } from '../unlisted'
import { createSnapshot, type SnapshotExclusion, type SnapshotView } from './snapshots'

/** A verb for all, or for each what its evidence says. To fail a key is proposed for one at a time. */
export type WantedVerb = Exclude<KeyAction, 'fail'> | 'as_assessed'

export type LockPreview = {
  /** One snapshot for each verb that there is something to do with. */
  snapshots: SnapshotView[]
  /** Locks that nothing is done to, and why. */
  left: { lockId: string; scope: string; key: string; text: string }[]
  /** More matched than are looked at in one go. */
  more: boolean
  /** Stores with locks that may match too, and are not listed. */
  unlisted: Unlisted[]
  /** Stores of theirs in which a holder that comes back can still write, and what it does then. */
  unsafe: { source: string; name: string; text: string }[]
}

const VERBS = ['release', 'complete'] as const

/** Takes a snapshot of what would be done to these locks, after a fresh look at store and provider. Changes nothing. */
export async function previewLocks(
  ctx: Context,
  wanted: WantedVerb,
  filter: LockFilter,
  settings: KeySettings = keySettings(),
): Promise<LockPreview> {
  const { items, next } = await listLocks(ctx.db, filter, { limit: BULK_MAX }, ctx.clock.now())
  const sorted = wanted === 'as_assessed' ? sortByVerdict(items) : { [wanted]: items }
  const snapshots: SnapshotView[] = []
  for (const verb of VERBS) {
    const locks = sorted[verb] ?? []
    if (locks.length > 0)
      snapshots.push(await createSnapshot(ctx, verb, { ids: locks.map(({ id }) => id) }, settings))
  }
  const left = [
    ...(sorted.left ?? []).map(({ id, scope, key, reason }) => ({ lockId: id, scope, key, text: reason })),
    ...snapshots.flatMap(({ excluded }) => excluded.map(toLeft)),
  ]
  const unlisted = await readUnlisted(ctx.db, filter)
  const doable = snapshots.filter(({ count }) => count > 0)
  const unsafe = doable.length === 0 ? [] : await readUnsafe(ctx, items)
  return { snapshots: doable, left, more: next !== null, unlisted, unsafe }
}

async function readUnsafe(ctx: Context, locks: readonly LockView[]): Promise<LockPreview['unsafe']> {
  const rows = await ctx.db.prisma.source.findMany({
    where: { id: { in: [...new Set(locks.map(({ source }) => source))] } },
    select: { id: true, name: true, capabilities: true },
    orderBy: { name: 'asc' },
  })
  return rows.flatMap(({ id, name, capabilities }) => {
    const text = zombieText(capabilities)
    return text === null ? [] : [{ source: id, name, text }]
  })
}

type Sorted = Partial<Record<KeyAction | 'left', LockView[]>>

function sortByVerdict(locks: readonly LockView[]): Sorted {
  const of = (verdict: LockView['verdict']) => locks.filter((lock) => lock.verdict === verdict)
  return {
    release: of('release'),
    complete: of('complete'),
    left: [...of('wait'), ...of('investigate')],
  }
}

const toLeft = ({ lockId, scope, key, text }: SnapshotExclusion) => ({ lockId, scope, key, text })
