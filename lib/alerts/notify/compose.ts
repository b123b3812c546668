import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { SEVERITIES } from '@/lib/core/condition-kinds'
import { newId } from '@/lib/core/ids'
import { RECEIVER_KINDS } from '@/lib/core/receiver-kinds'
import type { Tx } from '@/lib/db'
import { isQuiet, quietSchema } from '../routes/quiet'
import { REPEAT_MS } from './kinds/alertmanager'
import type { Event } from './message'
import { INTERVAL_MS, REMIND_MS, UNTOLD_MS } from './timing'

/** A pass's worth; the next one takes the rest. */
const GROUPS_MAX = 1_000

/**
 * Groups that may have something to say: something waits, or an incident is open. While one of its messages is on its
 * way a group says nothing else, so that they arrive in order.
 */
const CANDIDATES = `
  SELECT g.id, g.severity, g.incident, g.told_at, rc.kind AS receiver_kind, r.quiet, r.id IS NOT NULL AS routed,
    coalesce(r.interval_ms, $2) AS interval_ms, r.remind_ms, w.waits, f.fires,
    EXISTS (SELECT FROM delivery d WHERE d.group_id = g.id AND d.incident = g.incident AND d.state = 'delivered') AS told,
    a.id AS ack_id, a.until AS ack_until, a.said AS ack_said, a.expiry_said AS ack_expiry_said
  FROM notification_group g
  JOIN receiver rc ON rc.id = g.receiver_id AND rc.removed_at IS NULL
  LEFT JOIN notification_route r ON r.id = g.route_id AND r.ended_at IS NULL
  CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM notification n
    WHERE n.group_id = g.id AND n.state = 'waiting' AND n.delivery_id IS NULL AND n.due_at <= $1) AS waits) w
  CROSS JOIN LATERAL (SELECT g.incident IS NOT NULL AND EXISTS (
    SELECT FROM notification n JOIN alert_episode e ON e.id = n.episode_id
    WHERE n.group_id = g.id AND n.transition = 'raised' AND n.state IN ('delivered', 'merged', 'failed')
      AND e.cleared_at IS NULL) AS fires) f
  LEFT JOIN LATERAL (
    SELECT k.id, k.until,
      EXISTS (SELECT FROM delivery d WHERE d.group_id = g.id AND d.dedupe_key = k.id || ':acknowledged') AS said,
      EXISTS (SELECT FROM delivery d WHERE d.group_id = g.id AND d.dedupe_key = k.id || ':escalated') AS expiry_said
    FROM acknowledgement k
    WHERE g.incident IS NOT NULL AND k.kind = g.kind AND k.system = g.system AND k.ended_at IS NULL
    ORDER BY k.at DESC LIMIT 1) a ON true
  WHERE (w.waits OR f.fires)
    AND NOT EXISTS (SELECT FROM delivery d WHERE d.group_id = g.id AND d.state = 'waiting')
  ORDER BY g.told_at NULLS FIRST, g.id LIMIT ${GROUPS_MAX}`

const candidateSchema = z.object({
  id: z.string(),
  severity: z.enum(SEVERITIES),
  incident: z.string().nullable(),
  told_at: z.date().nullable(),
  receiver_kind: z.enum(RECEIVER_KINDS),
  quiet: quietSchema.nullable(),
  routed: z.boolean(),
  interval_ms: z.number(),
  remind_ms: z.number().nullable(),
  /** Something is to be told; something that was told fires. */
  waits: z.boolean(),
  fires: z.boolean(),
  /** Some message of the incident arrived. */
  told: z.boolean(),
  ack_id: z.string().nullable(),
  ack_until: z.date().nullable(),
  ack_said: z.boolean().nullable(),
  ack_expiry_said: z.boolean().nullable(),
})
type Candidate = z.output<typeof candidateSchema>

/** Writes the next message of every group that has one due. Returns how many. */
export async function composeDue(ctx: SystemContext): Promise<number> {
  const now = ctx.clock.now()
  const { rows } = await ctx.db.pool.query(CANDIDATES, [now, INTERVAL_MS])
  let composed = 0
  for (const group of z.array(candidateSchema).parse(rows)) {
    const speech = nextSpeech(group, now)
    if (speech === null) continue
    const told = await ctx.db.prisma.$transaction(async (tx) => {
      if (!(await lockGroup(tx, group))) return false
      return speech.kind === 'changes' ? tellChanges(tx, group, now) : tellAgain(tx, group, speech, now)
    })
    if (told) composed += 1
  }
  return composed
}

type Again = { kind: 'again'; event: Event; dedupeKey: string }
type Speech = { kind: 'changes' } | Again

/** What a group is to say now, if anything. Pure. */
export function nextSpeech(group: Candidate, now: Date): Speech | null {
  if (isHeld(group, now)) return null
  const { ack_id: ack, ack_until: until, told_at: toldAt, receiver_kind: receiver } = group
  const passed = (ms: number) => toldAt === null || now.getTime() - toldAt.getTime() >= ms
  const again = (event: Event, of: string | null): Again => ({
    kind: 'again',
    event,
    dedupeKey: `${of}:${event}`,
  })
  const acknowledged = until !== null && until > now
  // An Alertmanager is repeated to anyway, and groups by itself.
  const repeats = receiver === 'alertmanager'
  if (group.fires && acknowledged && group.ack_said === false) return again('acknowledged', ack)
  if (group.waits && passed(repeats ? Math.min(group.interval_ms, REPEAT_MS) : group.interval_ms))
    return { kind: 'changes' }
  if (!group.fires) return null
  if (until !== null && !acknowledged && group.ack_expiry_said === false) return again('escalated', ack)
  const turn = `${group.incident}:${toldAt?.getTime() ?? 0}`
  if (repeats) return passed(REPEAT_MS) ? again('refresh', turn) : null
  if (!group.told && !acknowledged && passed(UNTOLD_MS)) return again('reminder', turn)
  const remindMs = group.routed ? group.remind_ms : group.severity === 'page' ? REMIND_MS : null
  return remindMs !== null && !acknowledged && passed(remindMs) ? again('reminder', turn) : null
}

/** In quiet hours only pages are told, unless they are held back as well. */
const isHeld = ({ quiet, severity }: Candidate, now: Date): boolean =>
  quiet !== null && (severity === 'ticket' || quiet.holdsPages) && isQuiet(quiet, now)

/** Another worker may have been faster. */
async function lockGroup(tx: Tx, { id, told_at: toldAt }: Candidate): Promise<boolean> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT g.id FROM notification_group g
    WHERE g.id = ${id} AND g.told_at IS NOT DISTINCT FROM ${toldAt}
      AND NOT EXISTS (SELECT FROM delivery d WHERE d.group_id = g.id AND d.state = 'waiting')
    FOR UPDATE SKIP LOCKED`
  return rows.length > 0
}

/** What began and, when nothing has begun, what ended. */
async function tellChanges(tx: Tx, group: Candidate, now: Date): Promise<boolean> {
  await mergeFlapping(tx, group.id, now)
  const id = newId('dlv')
  const incident = group.incident ?? newId('nin')
  await write(tx, { id, group, event: 'raised', incident, dedupeKey: id, now })
  const raised = await cover(tx, COVER_RAISED, { id, group, now })
  if (raised.length > 0) {
    await tx.$executeRaw`
      UPDATE notification_group SET incident = ${incident}, told_at = ${now},
        opened_at = CASE WHEN incident IS NULL
          THEN (SELECT min(n.created_at) FROM notification n WHERE n.delivery_id = ${id}) ELSE opened_at END
      WHERE id = ${group.id}`
    await name(tx, id, 'raised', raised)
    return true
  }
  const cleared = await cover(tx, COVER_CLEARED, { id, group, now })
  if (cleared.length === 0) {
    await tx.delivery.delete({ where: { id } })
    return false
  }
  const episodes = cleared.map(({ episode }) => episode)
  await tx.$executeRawUnsafe(COVER_ITS_BEGINNING, id, group.id, episodes)
  const over = !(await fires(tx, group.id))
  await tx.notificationGroup.update({
    where: { id: group.id },
    data: { toldAt: now, ...(over ? { incident: null } : {}) },
  })
  await name(tx, id, 'cleared', cleared)
  return true
}

/** Says of what fires that it still does, that somebody looks after it, or that they did not. */
async function tellAgain(tx: Tx, group: Candidate, { event, dedupeKey }: Again, now: Date): Promise<boolean> {
  if (group.incident === null || !(await fires(tx, group.id))) return false
  // What was acknowledged rings for nobody any more: it becomes another incident.
  const incident = event === 'escalated' ? newId('nin') : group.incident
  const replaces = event === 'escalated' ? group.incident : null
  // A repetition that was taken is of no interest once there is the next.
  if (event === 'refresh')
    await tx.delivery.deleteMany({ where: { groupId: group.id, event, state: 'delivered' } })
  await write(tx, { id: newId('dlv'), group, event, incident, replaces, dedupeKey, now })
  await tx.notificationGroup.update({ where: { id: group.id }, data: { toldAt: now, incident } })
  return true
}

type Written = {
  id: string
  group: Candidate
  event: Event
  incident: string
  replaces?: string | null
  dedupeKey: string
  now: Date
}

const write = (tx: Tx, { id, group, event, incident, replaces = null, dedupeKey, now }: Written) =>
  tx.$executeRaw`
    INSERT INTO delivery
      (id, group_id, receiver_id, event, incident, replaces, dedupe_key, state, due_at, created_at)
    SELECT ${id}, g.id, g.receiver_id, ${event}, ${incident}, ${replaces}, ${dedupeKey}, 'waiting', ${now}, ${now}
    FROM notification_group g WHERE g.id = ${group.id}`

/** A message about one change of one alert is known by it, wherever and however often it is sent. */
function name(tx: Tx, id: string, event: 'raised' | 'cleared', alerts: readonly CoveredAlert[]) {
  const [first] = alerts
  const one = alerts.length === 1 && first !== undefined
  const key = `${one ? first.episode : id}:${event}`
  const dedupeKey = one && first.turn > 1 ? `${key}:${first.turn}` : key
  return tx.delivery.update({ where: { id }, data: { event, dedupeKey } })
}

/** What waits, is due and fires. */
const COVER_RAISED = `
  UPDATE notification n SET delivery_id = $1 FROM alert_episode e
  WHERE e.id = n.episode_id AND n.group_id = $2 AND n.state = 'waiting' AND n.delivery_id IS NULL
    AND n.due_at <= $3 AND n.transition = 'raised' AND e.cleared_at IS NULL
  RETURNING n.episode_id AS episode, n.turn`

/** What has been over for long enough. */
const COVER_CLEARED = `
  UPDATE notification SET delivery_id = $1
  WHERE group_id = $2 AND state = 'waiting' AND delivery_id IS NULL AND due_at <= $3 AND transition = 'cleared'
  RETURNING episode_id AS episode, turn`

/** That it began is told with it, where it was not told before. */
const COVER_ITS_BEGINNING = `
  UPDATE notification SET delivery_id = $1
  WHERE group_id = $2 AND state = 'waiting' AND delivery_id IS NULL AND transition = 'raised'
    AND episode_id = ANY ($3)`

type CoveredAlert = { episode: string; turn: number }
type Covering = { id: string; group: Candidate; now: Date }

/** Takes changes into a message; returns the alerts that it is about. */
const cover = (tx: Tx, sql: string, { id, group, now }: Covering) =>
  tx.$queryRawUnsafe<CoveredAlert[]>(sql, id, group.id, now)

/** Whether something fires that was told, or is being told. */
async function fires(tx: Tx, groupId: string): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM notification n JOIN alert_episode e ON e.id = n.episode_id
    WHERE n.group_id = ${groupId} AND n.transition = 'raised' AND n.state IN ('delivered', 'merged', 'failed')
      AND e.cleared_at IS NULL LIMIT 1`
  return rows.length > 0
}

/**
 * What came back before it was told that it was over goes on, and what went away before it was told that it is there is
 * told once, with its last time: of each subject's changes the first and the last count. One whose beginning could not be
 * told begins anew.
 */
const mergeFlapping = (tx: Tx, groupId: string, now: Date) => tx.$executeRaw`
  WITH waiting AS (
    SELECT n.id, n.transition, n.turn, n.episode_id, e.subject, e.since,
      n.transition = 'raised' OR EXISTS (SELECT FROM notification b WHERE b.episode_id = n.episode_id
        AND b.receiver_id = n.receiver_id AND b.turn = n.turn AND b.transition = 'raised' AND b.state = 'failed') AS untold
    FROM notification n JOIN alert_episode e ON e.id = n.episode_id
    WHERE n.group_id = ${groupId} AND n.state = 'waiting' AND n.delivery_id IS NULL
  ), placed AS (
    SELECT id, transition, episode_id, turn,
      first_value(untold) OVER changes AS begins_untold,
      last_value(transition) OVER changes AS last_transition,
      last_value(episode_id) OVER changes AS last_episode,
      last_value(turn) OVER changes AS last_turn,
      last_value(id) OVER changes = id AS is_last
    FROM waiting
    WINDOW changes AS (PARTITION BY subject ORDER BY since, turn, transition DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
  )
  UPDATE notification SET state = 'merged', finished_at = ${now}
  WHERE id IN (SELECT id FROM placed WHERE NOT CASE
    WHEN last_transition = 'raised' THEN begins_untold AND is_last
    ELSE is_last OR (begins_untold AND transition = 'raised' AND episode_id = last_episode AND turn = last_turn) END)`
