import { type ExportedRows, type ExportFormat, exportRows, withOffset } from '@/lib/audit/export/export-rows'
import type { Context } from '@/lib/context'
import type { LockFilter } from '@/lib/core/lock-filter'
import { type LockView, listLocks } from './list-locks'
import { readUnlisted } from './unlisted'

const HEADER = [
  'id',
  'source',
  'scope',
  'key',
  'state',
  'age_seconds',
  'holder',
  'verdict',
  'reason',
  'fence',
  'attempts',
  'acquired_at',
  'lease_until',
  'heartbeat_at',
  'checked_at',
]

/** Locks as a file, the oldest first, as of their last check. */
export async function exportLocks(
  ctx: Context,
  filter: LockFilter,
  format: ExportFormat,
): Promise<ExportedRows> {
  const leftOut = (await readUnlisted(ctx.db, filter)).length > 0
  return exportRows(ctx, { name: 'locks', header: HEADER, line }, { format, filter, leftOut }, (page) =>
    listLocks(ctx.db, filter, page, ctx.clock.now()),
  )
}

const line = (lock: LockView) => [
  lock.id,
  lock.source,
  lock.scope,
  lock.key,
  lock.state,
  lock.age,
  lock.holder,
  lock.verdict,
  lock.reason,
  lock.fence,
  lock.attempts,
  withOffset(lock.acquiredAt),
  withOffset(lock.leaseUntil),
  withOffset(lock.heartbeatAt),
  withOffset(lock.checkedAt),
]
