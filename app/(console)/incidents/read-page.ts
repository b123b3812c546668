import { listIncidents } from '@/lib/incidents/list-incidents'
import { withMoneyAtRisk } from '@/lib/incidents/money-at-risk'
import type { OpenedPage } from '../_page/open-page'
import { evaluatedNow } from '../_shell/reads'
import { loadIncidents } from './query'

const SHOWN = 50

export type IncidentsData = Awaited<ReturnType<typeof readIncidentsPage>>
export type IncidentRow = IncidentsData['rows'][number]

/** The incidents that are looked at, each with the money behind it now, and what one can be opened for. */
export async function readIncidentsPage({ ctx, asked, now, place, forbid }: OpenedPage) {
  const query = await loadIncidents(asked)
  const { status, severity, system, cursor } = query
  const [page, sources, evaluated] = await Promise.all([
    listIncidents(
      ctx.db,
      {
        status: status === null ? undefined : [status],
        severity: severity === null ? undefined : [severity],
        system: system ?? undefined,
      },
      { limit: SHOWN, cursor: cursor ?? undefined },
    ),
    ctx.db.prisma.source.findMany({
      select: { system: true },
      distinct: ['system'],
      orderBy: { system: 'asc' },
    }),
    evaluatedNow(),
  ])
  const rows = await withMoneyAtRisk(ctx.db, page.items, now)
  return {
    ...{ rows, next: page.next, query, place, evaluated },
    open: rows.filter((row) => row.status !== 'closed').map(({ id }) => id),
    systems: sources.map((source) => source.system),
    mayManage: forbid('incident.manage'),
  }
}
