import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import { toJsonObject } from '@/lib/core/json-value'
import type { Posted } from '@/lib/outbound/post-json'
import { activeSilences } from '../silences/list'
import { environmentOf, matches } from '../silences/match'
import { messageOf } from './message'
import { accepted, postTo } from './post'

/** Longer than a receiver is waited for: only a worker that died leaves one to another. */
const CLAIM_MS = 60_000
/** Pauses before each further try; then it has failed. */
const RETRY_AFTER_MS = [10_000, 30_000, 120_000, 600_000] as const
/** A run's worth; the next run takes the rest. */
const SENT_MAX = 200
/** A receiver that does not answer holds up no more than its share. */
const AT_ONCE = 4

/**
 * One worker at a time has a notification. That an alert ended is told after that it began, or not at all. The figures
 * are those of the last evaluation.
 */
const CLAIM = `
  UPDATE notification n SET attempts = n.attempts + 1, due_at = $1::timestamptz + $2 * interval '1 millisecond'
  FROM alert_episode e LEFT JOIN condition c ON c.kind = e.kind AND c.subject = e.subject AND e.cleared_at IS NULL,
       receiver r
  WHERE e.id = n.episode_id AND r.id = n.receiver_id AND n.id = (
    SELECT w.id FROM notification w
    WHERE w.state = 'waiting' AND w.due_at <= $1 AND NOT (w.transition = 'cleared' AND EXISTS (
      SELECT FROM notification b WHERE b.episode_id = w.episode_id AND b.receiver_id = w.receiver_id
        AND b.transition = 'raised' AND b.state = 'waiting'))
    ORDER BY w.due_at, w.id FOR UPDATE SKIP LOCKED LIMIT 1)
  RETURNING n.id, n.attempts, n.transition, r.id AS receiver_id, r.secret, r.removed_at IS NOT NULL AS removed,
    json_build_object('id', e.id, 'kind', e.kind, 'severity', e.severity, 'subject', e.subject, 'since', e.since, 'clearedAt', e.cleared_at,
      'detail', coalesce(c.detail, e.detail)) AS alert`

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())
const claimedSchema = z.object({
  id: z.string(),
  attempts: z.number(),
  transition: z.enum(['raised', 'cleared']),
  receiver_id: z.string(),
  secret: z.instanceof(Uint8Array),
  removed: z.boolean(),
  alert: z.object({
    id: z.string(),
    kind: z.enum(CONDITION_KINDS),
    severity: z.enum(SEVERITIES),
    subject: z.string(),
    since: instant,
    clearedAt: instant.nullable(),
    detail: z.record(z.string(), z.unknown()),
  }),
})
type Claimed = z.output<typeof claimedSchema>

type Outcome = 'delivered' | 'failed' | 'retried' | 'silenced'
export type Delivered = Record<Outcome, number>

/** Sends what is due and records what came back. Any number of workers may do this at once. */
export async function deliverDue(ctx: SystemContext): Promise<Delivered> {
  const counts: Delivered = { delivered: 0, failed: 0, retried: 0, silenced: 0 }
  let left = SENT_MAX
  const lane = async () => {
    while (left > 0) {
      left -= 1
      const claimed = await claim(ctx)
      if (claimed === null) return
      counts[await deliver(ctx, claimed)] += 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return counts
}

async function claim(ctx: SystemContext): Promise<Claimed | null> {
  const { rows } = await ctx.db.pool.query(CLAIM, [ctx.clock.now(), CLAIM_MS])
  return rows[0] === undefined ? null : claimedSchema.parse(rows[0])
}

async function deliver(ctx: SystemContext, claimed: Claimed): Promise<Outcome> {
  const { alert, transition, id, attempts } = claimed
  const now = ctx.clock.now()
  const about = { ...alert, environment: environmentOf(alert.detail) }
  if ((await activeSilences(ctx.db, now)).some((silence) => matches(silence, about))) {
    await hush(ctx, claimed, now)
    return 'silenced'
  }
  const posted = claimed.removed
    ? refused('The receiver was removed.')
    : await postTo({ id: claimed.receiver_id, secret: claimed.secret }, messageOf(alert, transition, now))
  const retryAfterMs = retryAfter(posted, attempts)
  const outcome = accepted(posted) ? 'delivered' : retryAfterMs === null ? 'failed' : 'retried'
  const at = ctx.clock.now()
  await ctx.db.prisma.notification.updateMany({
    // Somebody else has it by now when the number of tries moved on.
    where: { id, attempts, state: 'waiting' },
    data: {
      result: toJsonObject({ ...posted, at }),
      ...(retryAfterMs === null
        ? { state: outcome, finishedAt: at }
        : { dueAt: new Date(at.getTime() + retryAfterMs) }),
    },
  })
  if (outcome !== 'delivered')
    ctx.log.warn({ notification: id, outcome, status: posted.status, error: posted.error }, 'not delivered')
  return outcome
}

/** A silence began before it was sent. What still fires when the silence ends is planned anew then. */
async function hush(ctx: SystemContext, { id, attempts, transition }: Claimed, now: Date): Promise<void> {
  const where = { id, attempts, state: 'waiting' }
  if (transition === 'raised') await ctx.db.prisma.notification.deleteMany({ where })
  else await ctx.db.prisma.notification.updateMany({ where, data: { state: 'silenced', finishedAt: now } })
}

const refused = (error: string): Posted => ({
  kind: 'refused',
  status: null,
  body: null,
  error,
  durationMs: 0,
})

/** Null = it is decided: delivered, or what another try would not change. */
function retryAfter(posted: Posted, attempts: number): number | null {
  if (accepted(posted) || posted.kind === 'refused') return null
  const { status } = posted
  // A redirect is not followed, and a 4xx is about what we send; too early, too many and too slow pass.
  if (status !== null && status >= 300 && status < 500 && ![408, 425, 429].includes(status)) return null
  return RETRY_AFTER_MS[attempts - 1] ?? null
}
