import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { canonicalJson } from '@/lib/core/canonical-json'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import { newId } from '@/lib/core/ids'
import type { Db } from '@/lib/db'
import { startRunIn } from '@/lib/runs/start'
import { listRoutes } from '../routes/list'
import { routeFor } from '../routes/match'
import { activeSilences } from '../silences/list'
import { matches } from '../silences/match'
import { composeDue } from './compose'
import { RECEIVERS_MAX } from './receivers'
import { INTERVAL_MS } from './timing'

/** What came back before it was told that it was over goes on. */
const GOES_ON = `
  DELETE FROM notification n USING alert_episode e
  WHERE e.id = n.episode_id AND e.cleared_at IS NULL
    AND n.transition = 'cleared' AND n.state = 'waiting' AND n.delivery_id IS NULL`

/** Nobody has to look after what is over; what comes back within five minutes is not. */
const END_ACKNOWLEDGEMENTS = `
  UPDATE acknowledgement k SET ended_at = $1
  WHERE k.ended_at IS NULL AND NOT EXISTS (SELECT FROM alert_episode e
    WHERE e.kind = k.kind AND coalesce(e.detail->>'system', '') = k.system
      AND (e.cleared_at IS NULL OR e.cleared_at > $1::timestamptz - interval '5 minutes'))`

/** What fires and is not planned for every receiver, with no more of it than decides who is told. */
const UNPLANNED = `
  SELECT e.id, e.kind, e.severity, e.subject, e.since, e.detail->>'environment' AS environment,
    coalesce(e.detail->>'system', '') AS system, coalesce(p.turns, '{}') AS turns
  FROM alert_episode e
  CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(t.receiver_id, jsonb_build_object('turn', t.turn, 'told', t.told)) AS turns,
      count(*) FILTER (WHERE t.told) AS told
    FROM (SELECT n.receiver_id, max(n.turn) AS turn,
            count(*) FILTER (WHERE n.transition = 'raised') > count(*) FILTER (WHERE n.transition = 'cleared') AS told
          FROM notification n WHERE n.episode_id = e.id AND n.receiver_id = ANY ($2) GROUP BY n.receiver_id) t) p
  WHERE e.cleared_at IS NULL AND e.kind = ANY ($1) AND p.told < cardinality($2::text[])`

const unplannedSchema = z.object({
  id: z.string(),
  kind: z.enum(CONDITION_KINDS),
  severity: z.enum(SEVERITIES),
  subject: z.string(),
  since: z.date(),
  environment: z.string().nullable(),
  /** '' = none is named. */
  system: z.string(),
  /** By receiver: how often it was told of this alert, and whether it takes it to be firing. */
  turns: z.record(z.string(), z.object({ turn: z.number(), told: z.boolean() })),
})

const GROUPS = `
  INSERT INTO notification_group (id, receiver_id, route_id, kind, system, severity)
  SELECT 'ngr_' || replace(gen_random_uuid()::text, '-', ''), w.*
  FROM (SELECT DISTINCT receiver, route, kind, system, severity
        FROM jsonb_to_recordset($1::jsonb) w(receiver text, route text, kind text, system text, severity text)) w
  ON CONFLICT (receiver_id, route_id, kind, system, severity) DO NOTHING`

/** One notification for an alert, a receiver and a turn, whoever plans it and how often: the unique key decides. */
const PLAN_RAISED = `
  INSERT INTO notification
    (id, episode_id, receiver_id, group_id, transition, turn, state, paging, due_at, created_at)
  SELECT 'ntf_' || replace(gen_random_uuid()::text, '-', ''), w.episode, w.receiver, g.id, 'raised', w.turn,
    'waiting', w.paging, $2, $2
  FROM jsonb_to_recordset($1::jsonb) w(episode text, receiver text, route text, kind text, system text,
    severity text, turn integer, paging boolean)
  JOIN notification_group g ON g.receiver_id = w.receiver AND g.route_id = w.route AND g.kind = w.kind
    AND g.system = w.system AND g.severity = w.severity
  ON CONFLICT (episode_id, transition, receiver_id, turn) DO NOTHING`

/**
 * Who was to be told that it began is told that it ended, once it has been over for a while: what comes back before that
 * goes on. What came and went within the last ten minutes has to be over for longer.
 */
const PLAN_CLEARED = `
  INSERT INTO notification
    (id, episode_id, receiver_id, group_id, transition, turn, state, paging, due_at, created_at)
  SELECT 'ntf_' || replace(gen_random_uuid()::text, '-', ''), e.id, n.receiver_id, n.group_id, 'cleared', n.turn,
    'waiting', n.paging,
    e.cleared_at + interval '1 millisecond' * CASE WHEN n.turn > 1 OR EXISTS (
        SELECT FROM alert_episode o WHERE o.kind = e.kind AND o.subject = e.subject AND o.id <> e.id
          AND o.since < e.since AND o.cleared_at > e.cleared_at - interval '10 minutes')
      THEN 2 * coalesce(r.interval_ms, $2) ELSE least(coalesce(r.interval_ms, $2), $3) END, $1
  FROM notification n JOIN alert_episode e ON e.id = n.episode_id JOIN notification_group g ON g.id = n.group_id
  LEFT JOIN notification_route r ON r.id = g.route_id AND r.ended_at IS NULL
  WHERE n.transition = 'raised' AND e.cleared_at >= $1::timestamptz - interval '1 day'
    AND NOT EXISTS (SELECT FROM notification c WHERE c.episode_id = n.episode_id
      AND c.receiver_id = n.receiver_id AND c.transition = 'cleared' AND c.turn = n.turn)
  ON CONFLICT (episode_id, transition, receiver_id, turn) DO NOTHING`

/** So long it has to be over before it is told that it is. */
const SETTLED_MS = 120_000

/**
 * Plans what each receiver is to be told, writes the messages that are due, and starts the job that sends them. Safe to
 * call at any time, by anybody.
 */
export async function planNotifications(ctx: SystemContext): Promise<{ planned: number }> {
  const now = ctx.clock.now()
  await ctx.db.pool.query(GOES_ON)
  await ctx.db.pool.query(END_ACKNOWLEDGEMENTS, [now])
  const raised = await planRaised(ctx.db, now)
  const cleared = await ctx.db.pool.query(PLAN_CLEARED, [now, INTERVAL_MS, SETTLED_MS])
  await composeDue(ctx)
  const due = await ctx.db.prisma.delivery.findFirst({
    where: { state: 'waiting', dueAt: { lte: now } },
    select: { id: true },
  })
  if (due !== null) {
    const planner = {
      ...ctx,
      actor: { kind: 'system', job: 'conditions' } as const,
      requestId: newId('req'),
    }
    await ctx.db.prisma.$transaction((tx) =>
      startRunIn(tx, planner, { kind: 'notification', params: {}, idempotentOn: 'kind' }),
    )
  }
  return { planned: raised + (cleared.rowCount ?? 0) }
}

/** What began after a receiver was there, is not silenced, and is routed to it. When a silence ends, it is planned then. */
async function planRaised(db: Db, now: Date): Promise<number> {
  const receivers = await db.prisma.receiver.findMany({
    where: { removedAt: null },
    select: { id: true, paging: true, createdAt: true },
    take: RECEIVERS_MAX,
  })
  if (receivers.length === 0) return 0
  const [{ rows }, routes, silences] = await Promise.all([
    db.pool.query(UNPLANNED, [CONDITION_KINDS, receivers.map(({ id }) => id)]),
    listRoutes(db),
    activeSilences(db, now),
  ])
  const wanted = z
    .array(unplannedSchema)
    .parse(rows)
    .filter((alert) => !silences.some((silence) => matches(silence, alert)))
    .flatMap(({ id, kind, severity, system, since, turns }) => {
      const about = { kind, severity, system }
      return receivers.flatMap((receiver) => {
        const { turn, told } = turns[receiver.id] ?? { turn: 0, told: false }
        if (receiver.createdAt > since || told) return []
        const route = routeFor(routes, receiver.id, about)
        if (route === null) return []
        const to = { receiver: receiver.id, paging: receiver.paging, route }
        return [{ ...about, ...to, episode: id, turn: turn + 1 }]
      })
    })
  if (wanted.length === 0) return 0
  const json = canonicalJson(wanted)
  await db.pool.query(GROUPS, [json])
  const { rowCount } = await db.pool.query(PLAN_RAISED, [json, now])
  return rowCount ?? 0
}
