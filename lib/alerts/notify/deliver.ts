import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import { toJsonObject } from '@/lib/core/json-value'
import { RECEIVER_KINDS } from '@/lib/core/receiver-kinds'
import { activeSilences } from '../silences/list'
import { matches } from '../silences/match'
import { composeDue } from './compose'
import { KINDS } from './kinds/table'
import { EVENTS, type Message, messageOf } from './message'
import { type Covered, readCovered, readFact, tellsChanges } from './read-fact'
import { notSent, type Sent, sendTo } from './send'

/** Longer than a receiver is waited for: only a worker that died leaves one to another. */
const CLAIM_MS = 60_000
/** Pauses before each further try; then it has failed. */
const RETRY_AFTER_MS = [10_000, 30_000, 120_000, 600_000] as const
/** A receiver that wants to be asked later than this is asked then. */
const RETRY_AFTER_MS_MAX = 3_600_000
/** A run's worth; the next run takes the rest. */
const SENT_MAX = 200
/** A receiver that does not answer holds up no more than its share. */
const AT_ONCE = 4

/** One worker at a time has a message. A receiver that gave no answer in this run, or asked for time, is not asked again in it. */
const CLAIM = `
  UPDATE delivery d SET attempts = d.attempts + 1, due_at = $1::timestamptz + $2 * interval '1 millisecond'
  FROM receiver r, notification_group g
  WHERE r.id = d.receiver_id AND g.id = d.group_id AND d.id = (
    SELECT w.id FROM delivery w
      JOIN notification_group o ON o.id = w.group_id AND o.kind = ANY ($4)
    WHERE w.state = 'waiting' AND w.due_at <= $1 AND w.receiver_id <> ALL ($3)
    ORDER BY w.due_at, w.id FOR UPDATE OF w SKIP LOCKED LIMIT 1)
  RETURNING d.id, d.attempts, d.event, d.incident, d.replaces, d.dedupe_key, d.group_id, g.kind, g.system,
    g.severity, g.opened_at, d.created_at, r.id AS receiver_id, r.kind AS receiver_kind, r.secret,
    r.removed_at IS NOT NULL AS removed`

const claimedSchema = z.object({
  id: z.string(),
  attempts: z.number(),
  event: z.enum(EVENTS),
  incident: z.string(),
  replaces: z.string().nullable(),
  dedupe_key: z.string(),
  group_id: z.string(),
  kind: z.enum(CONDITION_KINDS),
  system: z.string(),
  severity: z.enum(SEVERITIES),
  opened_at: z.date().nullable(),
  created_at: z.date(),
  receiver_id: z.string(),
  receiver_kind: z.enum(RECEIVER_KINDS),
  secret: z.instanceof(Uint8Array),
  removed: z.boolean(),
})
type Claimed = z.output<typeof claimedSchema>

type Outcome = 'delivered' | 'failed' | 'retried' | 'silenced'
export type Delivered = Record<Outcome, number>

/** Sends what is due and records what came back. Any number of workers may do this at once. */
export async function deliverDue(ctx: SystemContext): Promise<Delivered> {
  const counts: Delivered = { delivered: 0, failed: 0, retried: 0, silenced: 0 }
  const waiting = new Set<string>()
  let left = SENT_MAX
  const lane = async () => {
    while (left > 0) {
      const claimed = await claim(ctx, [...waiting])
      if (claimed === null) return
      left -= 1
      const { outcome, askAgain } = await deliver(ctx, claimed)
      counts[outcome] += 1
      if (!askAgain) waiting.add(claimed.receiver_id)
    }
  }
  // Once a message has arrived its group may have another.
  for (let before = Number.NaN; left > 0 && left !== before; ) {
    before = left
    await composeDue(ctx)
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
  }
  return counts
}

async function claim(ctx: SystemContext, without: readonly string[]): Promise<Claimed | null> {
  const { rows } = await ctx.db.pool.query(CLAIM, [ctx.clock.now(), CLAIM_MS, without, CONDITION_KINDS])
  return rows[0] === undefined ? null : claimedSchema.parse(rows[0])
}

async function deliver(
  ctx: SystemContext,
  claimed: Claimed,
): Promise<{ outcome: Outcome; askAgain: boolean }> {
  const now = ctx.clock.now()
  const { loud, silenced } = await bySilence(ctx, claimed, now)
  if (loud.length === 0) {
    await hush(ctx, claimed, now)
    return { outcome: 'silenced', askAgain: true }
  }
  if (silenced.length > 0 && tellsChanges(claimed.event)) await leaveOut(ctx, claimed, silenced, now)
  const { message, sent } = await say(ctx, claimed, loud, now)
  const outcome = await record(ctx, claimed, message, sent)
  if (outcome !== 'delivered') {
    const { status, error } = sent.posted
    ctx.log.warn({ delivery: claimed.id, outcome, status, error }, 'not delivered')
  }
  return { outcome, askAgain: sent.posted.kind !== 'failed' && sent.posted.retryAfterMs === null }
}

/** What cannot be put into words is a fault of ours, which holds up no other message: it is tried again, and then has failed. */
async function say(
  ctx: SystemContext,
  claimed: Claimed,
  about: readonly Covered[],
  now: Date,
): Promise<{ message: Message | null; sent: Sent }> {
  const { receiver_id: id, receiver_kind: kind, secret, removed } = claimed
  try {
    const message = messageOf(await readFact(ctx.db, claimed, about, now), now)
    const sent = removed ? notSent('The receiver was removed.') : await sendTo({ id, kind, secret }, message)
    return { message, sent }
  } catch (error) {
    ctx.log.error({ err: error, delivery: claimed.id }, 'a message could not be made')
    return {
      message: null,
      sent: { ...notSent('The message could not be made: see the log.'), answered: 'again' },
    }
  }
}

/** A silence may have begun since it was written. */
async function bySilence(ctx: SystemContext, claimed: Claimed, now: Date) {
  const covered = await readCovered(ctx.db, claimed)
  // A service that keeps a state of its own has to learn that it is over, whoever wants quiet.
  if (claimed.event === 'cleared' && KINDS[claimed.receiver_kind].keepsState)
    return { loud: covered, silenced: [] }
  const silences = await activeSilences(ctx.db, now)
  const isSilenced = (alert: Covered) => silences.some((silence) => matches(silence, alert))
  return {
    loud: covered.filter((alert) => !isSilenced(alert)),
    silenced: covered.filter(isSilenced),
  }
}

/** The others of its message are told. */
async function leaveOut(
  ctx: SystemContext,
  { id, event }: Claimed,
  silenced: readonly Covered[],
  now: Date,
): Promise<void> {
  const where = { deliveryId: id, state: 'waiting', episodeId: { in: silenced.map((alert) => alert.id) } }
  if (event === 'raised') await ctx.db.prisma.notification.deleteMany({ where })
  else
    await ctx.db.prisma.notification.updateMany({
      where,
      data: { state: 'silenced', finishedAt: now, deliveryId: null },
    })
}

/** What was sent and what came back; the changes that it told have its state. */
async function record(
  ctx: SystemContext,
  claimed: Claimed,
  message: Message | null,
  sent: Sent,
): Promise<Outcome> {
  const { id, attempts } = claimed
  const at = ctx.clock.now()
  const retryAfterMs = retryAfter(sent, attempts)
  const outcome = sent.answered === 'delivered' ? 'delivered' : retryAfterMs === null ? 'failed' : 'retried'
  const ended = retryAfterMs === null
  const state = ended ? { state: outcome, finishedAt: at } : { dueAt: new Date(at.getTime() + retryAfterMs) }
  const result = toJsonObject({ ...sent.posted, at })
  await ctx.db.prisma.$transaction(async (tx) => {
    const { count } = await tx.delivery.updateMany({
      // Somebody else has it by now when the number of tries moved on.
      where: { id, attempts, state: 'waiting' },
      data: { ...state, ...(message === null ? {} : { message: toJsonObject(message) }) },
    })
    if (count === 0) return
    await tx.deliveryTry.create({
      data: { deliveryId: id, number: attempts, at, accepted: sent.answered === 'delivered', result },
    })
    await tx.notification.updateMany({ where: { deliveryId: id }, data: { ...state, attempts, result } })
    if (outcome !== 'delivered') return
    await tx.notificationGroup.update({ where: { id: claimed.group_id }, data: { toldAt: at } })
    // What could not be told when it began has been told by this.
    if (!tellsChanges(claimed.event))
      await tx.notification.updateMany({
        where: {
          groupId: claimed.group_id,
          transition: 'raised',
          state: 'failed',
          episode: { clearedAt: null },
        },
        data: { state: 'delivered', finishedAt: at },
      })
  })
  return outcome
}

/**
 * A silence began before it was sent. What still fires when the silence ends is planned anew then; that it ended is not
 * told later.
 */
async function hush(ctx: SystemContext, { id, attempts, event, group_id, incident }: Claimed, now: Date) {
  await ctx.db.prisma.$transaction(async (tx) => {
    const { count } = await tx.delivery.updateMany({
      where: { id, attempts, state: 'waiting' },
      data: { state: 'silenced', finishedAt: now, dedupeKey: `${id}:silenced` },
    })
    if (count === 0) return
    if (event === 'raised') await tx.notification.deleteMany({ where: { deliveryId: id } })
    else
      await tx.notification.updateMany({
        where: { deliveryId: id },
        data: { state: 'silenced', finishedAt: now },
      })
    const told = await tx.delivery.count({ where: { groupId: group_id, incident, state: 'delivered' } })
    if (told === 0)
      await tx.notificationGroup.updateMany({ where: { id: group_id, incident }, data: { incident: null } })
  })
}

/** Null = it is decided: delivered, or what another try would not change. A receiver may ask for more time. */
function retryAfter({ answered, posted }: Sent, attempts: number): number | null {
  const pauseMs = RETRY_AFTER_MS[attempts - 1]
  if (answered !== 'again' || pauseMs === undefined) return null
  return Math.max(pauseMs, Math.min(posted.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX))
}
