import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import type { IncidentSeverity, IncidentStatus } from '@/lib/core/incident-states'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import type { Db } from '@/lib/db'
import type { Prisma } from '@/prisma/generated/client'
import { readAlertsOf } from './read-alerts'
import { type IncidentView, incidentView, WITH_ROLES } from './view'

export type IncidentFilter = {
  status?: readonly IncidentStatus[] | undefined
  severity?: readonly IncidentSeverity[] | undefined
  system?: string | undefined
  /** Opened at or after, and before. */
  from?: Date | undefined
  to?: Date | undefined
}

/** Throws `not_found`. */
export const readIncident = async (db: Db, id: string): Promise<IncidentView> =>
  (await readIncidentWithAlerts(db, id)).incident

/** Throws `not_found`. */
export async function readIncidentWithAlerts(db: Db, id: string) {
  const [row, alertsOf] = await Promise.all([
    db.prisma.incident.findUnique({ where: { id }, include: WITH_ROLES }),
    readAlertsOf(db, [id]),
  ])
  if (row === null) throw new AppError('not_found', `There is no incident ${id}.`)
  const alerts = alertsOf(id)
  return { incident: incidentView(row, alerts), alerts }
}

const cursorShape = z.tuple([z.enum(['open', 'closed']), z.iso.datetime(), z.string()])

/** What is not closed first, then what is; the newest first in both. */
export async function listIncidents(
  db: Db,
  filter: IncidentFilter,
  { limit, cursor }: PageInput,
): Promise<Page<IncidentView>> {
  const [part = 'open', at, id] = cursor === undefined ? [] : decodeCursor(cursor, cursorShape)
  const after: Prisma.IncidentWhereInput =
    at === undefined || id === undefined
      ? {}
      : { OR: [{ openedAt: { lt: new Date(at) } }, { openedAt: new Date(at), id: { gt: id } }] }
  const read = (where: Prisma.IncidentWhereInput, take: number) =>
    db.prisma.incident.findMany({
      where: { AND: [whereOf(filter), where] },
      include: WITH_ROLES,
      orderBy: [{ openedAt: 'desc' }, { id: 'asc' }],
      take,
    })
  const open = part === 'open' ? await read({ status: { not: 'closed' }, ...after }, limit + 1) : []
  const closed =
    open.length > limit
      ? []
      : await read({ status: 'closed', ...(part === 'closed' ? after : {}) }, limit + 1 - open.length)
  const rows = [...open, ...closed]
  const page = toPage(rows, limit, (row) => [
    row.status === 'closed' ? 'closed' : 'open',
    row.openedAt.toISOString(),
    row.id,
  ])
  const alertsOf = await readAlertsOf(
    db,
    page.items.map((row) => row.id),
  )
  return { items: page.items.map((row) => incidentView(row, alertsOf(row.id))), next: page.next }
}

const whereOf = ({ status, severity, system, from, to }: IncidentFilter): Prisma.IncidentWhereInput => ({
  ...(status === undefined ? {} : { status: { in: [...status] } }),
  ...(severity === undefined ? {} : { severity: { in: [...severity] } }),
  ...(system === undefined ? {} : { system }),
  AND: [
    from === undefined ? {} : { openedAt: { gte: from } },
    to === undefined ? {} : { openedAt: { lt: to } },
  ],
})
