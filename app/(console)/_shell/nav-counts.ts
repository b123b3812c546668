import { cache } from 'react'
import { pageContext } from '@/app/_server/context'
import { countLocks } from '@/lib/locks/list-locks'
import { listSources } from '@/lib/mirror/read/list-sources'
import { countCases } from '@/lib/reconcile/cases/count-cases'
import { MEASURES } from '@/lib/telemetry/measures/measure'
import { readEffectTotals } from '@/lib/telemetry/read/effects/effect-totals'
import { readOrphanTotals } from '@/lib/telemetry/read/effects/orphan-totals'
import { conditionsNow, requestNow } from './reads'

const HOUR_MS = 3_600_000

export type NavCount = { count: number; urgent: boolean; says: string }

/** What waits on a page, by the page's path. What cannot be read now has no number: the shell stands without it. */
export const navCounts = cache(async (): Promise<Record<string, NavCount>> => {
  const { db, log } = await pageContext()
  const now = await requestNow()
  const hour = { from: new Date(now.getTime() - HOUR_MS), to: now }
  const counts = await Promise.allSettled([
    countLocks(db, now, MEASURES.M4.target).then(
      ({ stuck, investigate }): Named => ['/locks', { count: stuck, urgent: investigate > 0, says: 'stuck' }],
    ),
    Promise.all([readEffectTotals(db, hour), readOrphanTotals(db, hour)]).then(
      ([totals, orphans]): Named => [
        '/effects',
        {
          count: Number(totals.duplicates + orphans.open),
          urgent: true,
          says: 'duplicates of the last hour and open orphans',
        },
      ],
    ),
    countCases(db, now).then(
      ({ open, bySeverity }): Named => [
        '/reconciliation',
        { count: open, urgent: (bySeverity.P1 ?? 0) > 0, says: 'open cases' },
      ],
    ),
    conditionsNow().then((firing): Named => {
      const loud = firing.filter(({ silence }) => silence === null)
      return ['/alerts', { count: loud.length, urgent: true, says: 'alerts that fire' }]
    }),
    listSources(db, now).then(
      (sources): Named => [
        '/sources',
        {
          count: sources.filter(({ enabled, state }) => enabled && (state === 'down' || state === 'stale'))
            .length,
          urgent: true,
          says: 'that cannot be read',
        },
      ],
    ),
  ])
  for (const each of counts)
    if (each.status === 'rejected')
      log.warn({ err: each.reason }, 'a count of the navigation could not be read')
  return Object.fromEntries(counts.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])))
})

type Named = [path: string, count: NavCount]
