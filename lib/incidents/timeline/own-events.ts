import { z } from 'zod'
import { ALERTS, alertText } from '@/lib/alerts/about'
import { figuresOf } from '@/lib/alerts/show-alert'
import { CONDITION_KINDS } from '@/lib/core/condition-kinds'
import { durationText } from '@/lib/core/format-figure'
import {
  INCIDENT_ENTRY_KINDS,
  INCIDENT_ROLE_LABEL,
  INCIDENT_ROLES,
  type IncidentEntryKind,
} from '@/lib/core/incident-states'
import type { Db } from '@/lib/db'
import type { EventContext, EventWindow, TimelineEvent } from './event'

const dataSchema = z.object({
  severity: z.string().default(''),
  role: z.enum(INCIDENT_ROLES).default('commander'),
  to: z.string().nullable().default(null),
  alert: z.string().nullable().default(null),
})
type Data = z.output<typeof dataSchema>

const SAYS: Record<IncidentEntryKind, (data: Data) => string> = {
  opened: ({ alert }) => (alert === null ? 'Incident opened by hand' : 'Incident opened by an alert'),
  acknowledged: () => 'Incident acknowledged, with its alerts',
  severity: ({ severity }) => `Severity set to ${severity.toUpperCase()}`,
  role: ({ role, to }) =>
    to === null ? `${INCIDENT_ROLE_LABEL[role]} left` : `${INCIDENT_ROLE_LABEL[role]} is ${to}`,
  mitigated: () => 'Mitigated',
  closed: () => 'Incident closed',
  reopened: ({ alert }) => (alert === null ? 'Incident reopened' : 'Incident reopened by an alert'),
  note: () => 'Note',
}

/** What people and the console did to the incident itself. */
export async function readEntries(
  db: Db,
  { incidentId }: EventContext,
  { from, to, after, limit }: EventWindow,
): Promise<TimelineEvent[]> {
  const rows = await db.prisma.incidentEntry.findMany({
    where: {
      incidentId,
      at: { gte: from, lt: to },
      ...(after === null
        ? {}
        : {
            OR: [
              { at: { lt: new Date(after.at) } },
              { at: new Date(after.at), id: { lt: BigInt(after.id) } },
            ],
          }),
    },
    orderBy: [{ at: 'desc' }, { id: 'desc' }],
    take: limit,
  })
  return rows.map((row) => ({
    id: row.id.toString(),
    source: 'entry',
    at: row.at.toISOString(),
    text: SAYS[z.enum(INCIDENT_ENTRY_KINDS).parse(row.kind)](dataSchema.parse(row.data)),
    detail: row.text,
    by: row.by === null ? null : row.byName,
    path: null,
    clock: 'console',
  }))
}

/** Its alerts are few and were read: raised, and cleared. */
export const alertEvents = (
  { alerts }: EventContext,
  what: 'alert_raised' | 'alert_cleared',
  window: EventWindow,
): TimelineEvent[] =>
  inWindow(
    alerts.flatMap((alert): TimelineEvent[] => {
      const at = what === 'alert_raised' ? alert.since : alert.clearedAt
      if (at === null) return []
      const forMs = Date.parse(at) - Date.parse(alert.since)
      const raised = `${alert.severity === 'page' ? 'Page' : 'Ticket'}: ${alertText(alert)}`
      return [
        {
          ...{ id: alert.id, source: what, at, by: null, clock: 'console' },
          text: what === 'alert_raised' ? raised : `Over: ${alertText(alert)}`,
          detail: what === 'alert_raised' ? figuresOf(alert) : `it held for ${durationText(forMs)}`,
          path: `/alerts?open=${alert.id}`,
        },
      ]
    }),
    window,
  )

/** Of its alerts: one by one, or with the incident. */
export async function readAcknowledged(
  db: Db,
  { incidentId }: EventContext,
  { from, to, after, limit }: EventWindow,
): Promise<TimelineEvent[]> {
  const rows = await db.prisma.acknowledgement.findMany({
    where: {
      episode: { incidentId },
      kind: { in: [...CONDITION_KINDS] },
      at: { gte: from, lt: to },
      ...(after === null
        ? {}
        : { OR: [{ at: { lt: new Date(after.at) } }, { at: new Date(after.at), id: { gt: after.id } }] }),
    },
    orderBy: [{ at: 'desc' }, { id: 'asc' }],
    take: limit,
  })
  return rows.map((row) => ({
    id: row.id,
    source: 'acknowledgement',
    at: row.at.toISOString(),
    text: `Alert acknowledged: ${ALERTS[z.enum(CONDITION_KINDS).parse(row.kind)].title}`,
    detail: row.note,
    by: row.byName,
    path: `/alerts?open=${row.episodeId}`,
    clock: 'console',
  }))
}

/** Of a few events that were read whole: those of the window, the latest first. */
export const inWindow = (events: TimelineEvent[], { from, to, after, limit }: EventWindow): TimelineEvent[] =>
  events
    .filter(({ at }) => Date.parse(at) >= from.getTime() && Date.parse(at) < to.getTime())
    .filter(
      (event) => after === null || event.at < after.at || (event.at === after.at && event.id > after.id),
    )
    .toSorted((a, b) => (a.at === b.at ? (a.id < b.id ? -1 : 1) : a.at < b.at ? 1 : -1))
    .slice(0, limit)
