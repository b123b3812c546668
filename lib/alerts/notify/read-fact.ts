import { z } from 'zod'
import { CONDITION_KINDS, SEVERITIES, type Severity } from '@/lib/core/condition-kinds'
import type { Db } from '@/lib/db'
import { readChangesBefore } from '../changes-before'
import { type Acknowledged, type Event, EXAMPLES_MAX, type Fact } from './message'

/** A message as it is claimed to be sent. */
export type ToSay = {
  id: string
  event: Event
  incident: string
  replaces: string | null
  dedupe_key: string
  group_id: string
  kind: Fact['kind']
  system: string
  severity: Severity
  opened_at: Date | null
  created_at: Date
}

/** Of changes those that it tells; of what is said again all that was told and fires. The oldest first. */
const COVERED = `
  SELECT e.id, e.kind, e.subject, e.since, e.detail->>'environment' AS environment
  FROM notification n JOIN alert_episode e ON e.id = n.episode_id
  WHERE CASE WHEN $3 THEN n.delivery_id = $1
    ELSE n.group_id = $2 AND n.transition = 'raised' AND n.state IN ('delivered', 'merged', 'failed')
      AND e.cleared_at IS NULL END
  GROUP BY e.id ORDER BY e.since, e.id`

const coveredSchema = z.array(
  z.object({
    id: z.string(),
    kind: z.enum(CONDITION_KINDS),
    subject: z.string(),
    since: z.date(),
    environment: z.string().nullable(),
  }),
)
export type Covered = z.output<typeof coveredSchema>[number]

export const tellsChanges = (event: Event): boolean => event === 'raised' || event === 'cleared'

/** Every alert that a message is about. */
export async function readCovered(db: Db, say: ToSay): Promise<Covered[]> {
  const { rows } = await db.pool.query(COVERED, [say.id, say.group_id, tellsChanges(say.event)])
  return coveredSchema.parse(rows)
}

/** The figures are those of the last evaluation. */
const TOLD = `
  SELECT json_build_object('id', e.id, 'kind', e.kind, 'severity', e.severity, 'subject', e.subject,
    'since', e.since, 'clearedAt', e.cleared_at, 'detail', coalesce(c.detail, e.detail),
    'incidentId', e.incident_id) AS alert
  FROM alert_episode e LEFT JOIN condition c ON c.kind = e.kind AND c.subject = e.subject AND e.cleared_at IS NULL
  WHERE e.id = ANY ($1) ORDER BY e.since, e.id`

const COUNTS = `
  SELECT coalesce(sum(e.times) FILTER (WHERE e.subject = ANY ($3) AND n.created_at >= $4 AND n.turn = 1), 0)::int AS raises,
    count(DISTINCT e.id) FILTER (WHERE e.cleared_at IS NULL
      AND (n.delivery_id = $2 OR n.state IN ('delivered', 'merged', 'failed')))::int AS firing
  FROM notification n JOIN alert_episode e ON e.id = n.episode_id
  WHERE n.group_id = $1 AND n.transition = 'raised'`

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())
const toldSchema = z.array(
  z
    .object({
      alert: z.object({
        id: z.string(),
        kind: z.enum(CONDITION_KINDS),
        severity: z.enum(SEVERITIES),
        subject: z.string(),
        since: instant,
        clearedAt: instant.nullable(),
        detail: z.record(z.string(), z.unknown()),
        incidentId: z.string().nullable(),
      }),
    })
    .transform(({ alert }) => alert),
)
const countsSchema = z.tuple([z.object({ raises: z.number(), firing: z.number() })])

/** What a message says of the alerts that it is about, of which there is at least one. */
export async function readFact(db: Db, say: ToSay, covered: readonly Covered[], now: Date): Promise<Fact> {
  const examples = covered.slice(0, EXAMPLES_MAX).map(({ id }) => id)
  const subjects = [...new Set(covered.map(({ subject }) => subject))]
  const since = say.opened_at ?? say.created_at
  const beganAt = covered[0]?.since ?? say.created_at
  const [told, counts, acknowledgement, changes] = await Promise.all([
    db.pool.query(TOLD, [examples]),
    db.pool.query(COUNTS, [say.group_id, say.id, subjects, since]),
    acknowledgementOf(db, say, now),
    say.event === 'cleared' ? [] : readChangesBefore(db, beganAt),
  ])
  const [{ raises, firing }] = countsSchema.parse(counts.rows)
  return {
    event: say.event,
    dedupeKey: say.dedupe_key,
    incident: say.incident,
    replaces: say.replaces,
    severity: say.severity,
    kind: say.kind,
    system: say.system,
    alerts: toldSchema.parse(told.rows),
    count: covered.length,
    raises: Math.max(raises, covered.length),
    firing,
    acknowledgement,
    changes,
  }
}

/** Who looks after it; when that has expired, who did. */
async function acknowledgementOf(
  db: Db,
  { kind, system, event }: ToSay,
  now: Date,
): Promise<Acknowledged | null> {
  const row = await db.prisma.acknowledgement.findFirst({
    where: { kind, system, endedAt: null },
    orderBy: { at: 'desc' },
  })
  if (row === null || (row.until <= now && event !== 'escalated')) return null
  return { by: row.byName, at: row.at.toISOString(), until: row.until.toISOString(), note: row.note }
}
