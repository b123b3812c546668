import { z } from 'zod'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import type { Db } from '@/lib/db'
import { activeSilences } from './silences/list'
import { environmentOf, matches } from './silences/match'
import type { SilenceView } from './silences/view'

const FIRING_MAX = 200

const rowSchema = z
  .object({
    id: z.string(),
    kind: z.enum(CONDITION_KINDS),
    subject: z.string(),
    severity: z.enum(SEVERITIES),
    times: z.number(),
    since: z.date(),
    detail: z.record(z.string(), z.unknown()),
    checked_at: z.date(),
    incident_id: z.string().nullable(),
  })
  .transform(({ checked_at, incident_id, ...row }) => ({
    ...row,
    incidentId: incident_id,
    since: row.since.toISOString(),
    checkedAt: checked_at.toISOString(),
    environment: environmentOf(row.detail),
  }))

/** An alert that fires now. It is evaluated, and has its figures, whether or not a silence holds. */
export type Firing = z.output<typeof rowSchema> & { silence: SilenceView | null }

const SQL = `
  SELECT e.id, e.kind, e.subject, e.severity, e.times, e.since, c.detail, c.checked_at, e.incident_id
  FROM alert_episode e JOIN condition c ON c.kind = e.kind AND c.subject = e.subject
  WHERE e.cleared_at IS NULL AND e.kind = ANY ($1)
  ORDER BY e.since, e.id LIMIT ${FIRING_MAX}`

/** What fires now, the oldest first, with the figures of the last evaluation and the silence that holds, if any. */
export async function readFiring(db: Db, now: Date): Promise<Firing[]> {
  const [{ rows }, silences] = await Promise.all([
    db.pool.query(SQL, [CONDITION_KINDS]),
    activeSilences(db, now),
  ])
  return z
    .array(rowSchema)
    .parse(rows)
    .map((alert) => ({ ...alert, silence: silences.find((silence) => matches(silence, alert)) ?? null }))
}
