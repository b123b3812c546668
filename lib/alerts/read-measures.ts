import { countPages } from '@/lib/alerts/notify/count-pages'
import { readTerms } from '@/lib/conditions/terms'
import type { SystemContext } from '@/lib/context'
import { countLocks } from '@/lib/locks/list-locks'
import { hasCompared } from '@/lib/reconcile/report/has-compared'
import { MEASURES, type Measure } from '@/lib/telemetry/measures/measure'
import { readMeasures } from '@/lib/telemetry/measures/measures'
import type { TelemetryWindow } from '@/lib/telemetry/window'
import { withTargets } from './targets'

/** M1–M10 with what the rest of the console knows beside the telemetry. The API and the pages read this one. */
export async function readConsoleMeasures(
  ctx: Pick<SystemContext, 'db' | 'clock'>,
  window: TelemetryWindow,
): Promise<Measure[]> {
  const now = ctx.clock.now()
  const [stores, locks, confirmedDuplicateSemantic, corrections, pages, { rules }] = await Promise.all([
    ctx.db.prisma.source.count({ where: { kind: 'intent', enabled: true } }),
    countLocks(ctx.db, now, MEASURES.M4.target),
    ctx.db.prisma.reconciliationCase.count({
      where: {
        class: 'duplicate_semantic',
        outcome: 'break',
        firstSeen: { gte: window.from, lt: window.to },
      },
    }),
    readCorrections(ctx, window),
    countPages(ctx.db, window.to),
    readTerms(ctx.db.pool),
  ])
  const measures = await readMeasures(ctx.db, window, now, {
    openKeysOlderThanTarget: stores === 0 ? null : locks.openOlderThan,
    confirmedDuplicateSemantic,
    corrections,
    pages,
  })
  return withTargets(measures, rules, { service: window.service, endpoint: window.endpoint })
}

/** Looking again and closing without a change correct nothing. */
const CORRECTIONS = `
  SELECT c.class, count(*)::int AS executed
  FROM action a JOIN reconciliation_case c ON c.id = a.case_id
  WHERE a.state = 'done' AND a.kind NOT IN ('ignore', 'refresh') AND a.finished_at >= $1 AND a.finished_at < $2
  GROUP BY c.class`

/** Null until a reconciliation has compared: before it nothing could be corrected, which is not the same as none. */
async function readCorrections(ctx: Pick<SystemContext, 'db'>, { from, to }: TelemetryWindow) {
  if (!(await hasCompared(ctx.db))) return null
  const { rows } = await ctx.db.pool.query<{ class: string; executed: number }>(CORRECTIONS, [from, to])
  return {
    executed: rows.reduce((sum, row) => sum + row.executed, 0),
    byClass: Object.fromEntries(rows.map((row) => [row.class, row.executed])),
  }
}
