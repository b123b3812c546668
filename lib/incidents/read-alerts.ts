import { z } from 'zod'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import type { Db } from '@/lib/db'

/** Of one incident; its list of alerts has the rest. */
const ALERTS_MAX = 200

const rowSchema = z
  .object({
    incident_id: z.string(),
    id: z.string(),
    kind: z.enum(CONDITION_KINDS),
    subject: z.string(),
    severity: z.enum(SEVERITIES),
    times: z.number(),
    since: z.date(),
    cleared_at: z.date().nullable(),
    detail: z.record(z.string(), z.unknown()),
    checked_at: z.date().nullable(),
  })
  .transform(({ incident_id, since, cleared_at, checked_at, ...alert }) => ({
    ...alert,
    incidentId: incident_id,
    since: since.toISOString(),
    clearedAt: cleared_at?.toISOString() ?? null,
    checkedAt: checked_at?.toISOString() ?? null,
  }))

/** An alert of an incident, with the figures of the last evaluation. */
export type IncidentAlert = z.output<typeof rowSchema>

const SQL = `
  SELECT e.* FROM unnest($1::text[]) AS asked(id) CROSS JOIN LATERAL (
    SELECT e.incident_id, e.id, e.kind, e.subject, e.severity, e.times, e.since, e.cleared_at,
      coalesce(c.detail, e.detail) AS detail, c.checked_at
    FROM alert_episode e
    LEFT JOIN condition c ON c.kind = e.kind AND c.subject = e.subject AND e.cleared_at IS NULL
    WHERE e.incident_id = asked.id AND e.kind = ANY ($2)
    ORDER BY e.since, e.id LIMIT ${ALERTS_MAX}) e`

/** The alerts of each of these incidents, the oldest first. */
export async function readAlertsOf(
  db: Db,
  incidents: readonly string[],
): Promise<(id: string) => IncidentAlert[]> {
  if (incidents.length === 0) return () => []
  const { rows } = await db.pool.query(SQL, [incidents, CONDITION_KINDS])
  const alerts = z.array(rowSchema).parse(rows)
  return (id) => alerts.filter(({ incidentId }) => incidentId === id)
}
