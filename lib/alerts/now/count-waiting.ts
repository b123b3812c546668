import type { Db } from '@/lib/db'
import { countLocks } from '@/lib/locks/list-locks'
import type { Log } from '@/lib/log'
import { listSources } from '@/lib/mirror/read/list-sources'
import { countCases } from '@/lib/reconcile/cases/count-cases'
import { MEASURES } from '@/lib/telemetry/measures/measure'
import { readEffectTotals } from '@/lib/telemetry/read/effects/effect-totals'
import { readOrphanTotals } from '@/lib/telemetry/read/effects/orphan-totals'
import type { Firing } from '../read-firing'

const HOUR_MS = 3_600_000

export type Waiting = { count: number; urgent: boolean; says: string }

type Asked = { db: Db; log: Log; now: Date; firing: Promise<readonly Firing[]> }

/** What waits for a person, by the console's page. What cannot be read now is missing: the others stand without it. */
export async function countWaiting({ db, log, now, firing }: Asked): Promise<Record<string, Waiting>> {
  const hour = { from: new Date(now.getTime() - HOUR_MS), to: now }
  const reads: Record<string, Promise<Waiting>> = {
    '/incidents': db.prisma.incident
      .groupBy({ by: ['status'], where: { status: { not: 'closed' } }, _count: true })
      .then((open) => ({
        count: open.reduce((sum, { _count }) => sum + _count, 0),
        urgent: open.some(({ status }) => status === 'open'),
        says: 'not closed',
      })),
    '/locks': countLocks(db, now, MEASURES.M4.target).then(({ stuck, investigate }) => ({
      count: stuck,
      urgent: investigate > 0,
      says: 'stuck',
    })),
    '/effects': Promise.all([readEffectTotals(db, hour), readOrphanTotals(db, hour)]).then(
      ([{ duplicates }, { open }]) => ({
        count: Number(duplicates + open),
        urgent: true,
        says: 'duplicates of the last hour and open orphans',
      }),
    ),
    '/reconciliation': countCases(db, now).then(({ open, bySeverity }) => ({
      count: open,
      urgent: (bySeverity.P1 ?? 0) > 0,
      says: 'open cases',
    })),
    '/alerts': firing.then((alerts) => ({
      count: alerts.filter(({ silence }) => silence === null).length,
      urgent: true,
      says: 'alerts that fire',
    })),
    '/sources': listSources(db, now).then((sources) => ({
      count: sources.filter(({ enabled, state }) => enabled && (state === 'down' || state === 'stale'))
        .length,
      urgent: true,
      says: 'that cannot be read',
    })),
  }
  const read = Object.entries(reads).map(async ([path, waiting]): Promise<[string, Waiting][]> => {
    try {
      return [[path, await waiting]]
    } catch (error) {
      log.warn({ err: error }, 'a count of the navigation could not be read')
      return []
    }
  })
  return Object.fromEntries((await Promise.all(read)).flat())
}
