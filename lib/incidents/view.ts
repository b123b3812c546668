import { z } from 'zod'
import { alertText } from '@/lib/alerts/about'
import { worstOf } from '@/lib/alerts/now/verdict-sentence'
import {
  INCIDENT_AREAS,
  INCIDENT_ROLES,
  INCIDENT_SEVERITIES,
  INCIDENT_STATUS_NAMES,
} from '@/lib/core/incident-states'
import type { Prisma } from '@/prisma/generated/client'
import type { IncidentAlert } from './read-alerts'

export const WITH_ROLES = { roles: true } satisfies Prisma.IncidentInclude
type Row = Prisma.IncidentGetPayload<{ include: typeof WITH_ROLES }>

/** An incident as the API and the console show it. */
export type IncidentView = ReturnType<typeof incidentView>

export function incidentView(row: Row, alerts: readonly IncidentAlert[]) {
  const roles = row.roles.map(({ role, userId, name, since }) => ({
    role: z.enum(INCIDENT_ROLES).parse(role),
    userId,
    name,
    since: since.toISOString(),
  }))
  return {
    id: row.id,
    title: row.title === '' ? worstText(alerts) : row.title,
    area: z.enum(INCIDENT_AREAS).parse(row.area),
    /** Null = none is known. */
    system: row.system === '' ? null : row.system,
    severity: z.enum(INCIDENT_SEVERITIES).parse(row.severity),
    status: z.enum(INCIDENT_STATUS_NAMES).parse(row.status),
    /** Null = an alert. */
    openedBy: row.openedByName,
    openedAt: row.openedAt.toISOString(),
    beganAt: row.beganAt?.toISOString() ?? null,
    acknowledgedAt: row.acknowledgedAt?.toISOString() ?? null,
    acknowledgedBy: row.acknowledgedByName,
    mitigatedAt: row.mitigatedAt?.toISOString() ?? null,
    closedAt: row.closedAt?.toISOString() ?? null,
    cause: row.cause,
    followUps: row.followUps,
    revision: row.revision,
    roles,
    commander: roles.find(({ role }) => role === 'commander')?.name ?? null,
    alerts: { count: alerts.length, firing: alerts.filter(({ clearedAt }) => clearedAt === null).length },
    times: timesOf(row),
  }
}

function worstText(alerts: readonly IncidentAlert[]): string {
  const [worst] = worstOf(alerts)
  return worst === undefined ? 'Incident without an alert' : alertText(worst)
}

type Moments = Pick<Row, 'beganAt' | 'openedAt' | 'acknowledgedAt' | 'mitigatedAt'>

/** How long each took; null = not known, or not done. From the first fact to the alert, and from there on. */
const timesOf = ({ beganAt, openedAt, acknowledgedAt, mitigatedAt }: Moments) => ({
  detectMs: between(beganAt, openedAt),
  acknowledgeMs: between(openedAt, acknowledgedAt),
  mitigateMs: between(openedAt, mitigatedAt),
})

/** A clock that was set back measures nothing. */
function between(from: Date | null, to: Date | null): number | null {
  const ms = from === null || to === null ? -1 : to.getTime() - from.getTime()
  return ms < 0 ? null : ms
}
