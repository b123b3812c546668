import { z } from 'zod'
import { INCIDENT_SEVERITIES, type IncidentSeverity } from '@/lib/core/incident-states'
import type { Db } from '@/lib/db'

const monthRow = z.object({ month: z.string(), severity: z.enum(INCIDENT_SEVERITIES), incidents: z.number() })
const ms = z.number().nullable()
const timesRow = z.object({
  incidents: z.number(),
  open: z.number(),
  detect_ms: ms,
  acknowledge_ms: ms,
  mitigate_ms: ms,
})

const MONTHS = `
  SELECT to_char(opened_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, severity, count(*)::int AS incidents
  FROM incident WHERE opened_at >= $1 AND opened_at < $2 GROUP BY 1, 2 ORDER BY 1, 2`

/** Of those whose clock was not set back in between. */
const medianMs = (from: string, to: string) =>
  `(extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY ${to} - ${from}) FILTER (WHERE ${to} >= ${from})) * 1000)::float8`

const TIMES = `
  SELECT count(*)::int AS incidents, count(*) FILTER (WHERE status <> 'closed')::int AS open,
    ${medianMs('began_at', 'opened_at')} AS detect_ms,
    ${medianMs('opened_at', 'acknowledged_at')} AS acknowledge_ms,
    ${medianMs('opened_at', 'mitigated_at')} AS mitigate_ms
  FROM incident WHERE opened_at >= $1 AND opened_at < $2`

export type IncidentMonth = {
  month: string
  count: number
  bySeverity: Partial<Record<IncidentSeverity, number>>
}
export type IncidentHistory = {
  incidents: number
  /** Not closed now. */
  open: number
  /** Medians; null = of none is it known. */
  detectMs: number | null
  acknowledgeMs: number | null
  mitigateMs: number | null
}

/** Incidents opened in a window, by month (UTC) of their opening. A month without one has no entry. */
export async function readIncidentMonths(
  db: Db,
  { from, to }: { from: Date; to: Date },
): Promise<IncidentMonth[]> {
  const { rows } = await db.pool.query(MONTHS, [from, to])
  const months = new Map<string, IncidentMonth>()
  for (const { month, severity, incidents } of z.array(monthRow).parse(rows)) {
    const known = months.get(month) ?? { month, count: 0, bySeverity: {} }
    known.count += incidents
    known.bySeverity[severity] = incidents
    months.set(month, known)
  }
  return [...months.values()]
}

/** How many were opened in a window, and how long they took. */
export async function readIncidentTimes(
  db: Db,
  { from, to }: { from: Date; to: Date },
): Promise<IncidentHistory> {
  const { rows } = await db.pool.query(TIMES, [from, to])
  const row = timesRow.parse(rows[0])
  return {
    incidents: row.incidents,
    open: row.open,
    detectMs: row.detect_ms,
    acknowledgeMs: row.acknowledge_ms,
    mitigateMs: row.mitigate_ms,
  }
}
