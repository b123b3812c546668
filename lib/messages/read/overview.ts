import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { listSources, type SourceState } from '@/lib/mirror/read/list-sources'
import { type ShortConsumer, shortConsumersSchema } from '../dedup/short-consumers'

export type TopicNow = {
  topic: string
  unsent: number | null
  retrying: number | null
  oldestUnsentAt: string | null
  dead: number | null
  /** Published in the last whole minute. */
  published: number | null
  /** Left the outbox in that minute, sent or given up: what came in, less what the backlog grew by. null = not measured. */
  left: number | null
}

export type MessageSourceNow = {
  id: string
  name: string
  system: string
  kind: string
  enabled: boolean
  state: SourceState
  lastOkAt: string | null
  lastError: string | null
  /** null = it was never read. */
  checkedAt: string | null
  topics: TopicNow[]
  /** Counts were cut: there are more. */
  atLeast: boolean
  deadListed: number
  deadMore: boolean
  relays: { owner: string; seenAt: string; asleep: boolean; silentMs: number }[] | null
  /** `since`: when that transaction began; `oldestAt`: the first of what it holds back. */
  heldBackBy: { text: string; since: string | null; unsent: number; oldestAt: string } | null
  shortConsumers: ShortConsumer[]
}

const relaysSchema = z
  .array(z.object({ owner: z.string(), seenAt: z.string(), asleep: z.boolean() }))
  .nullable()
const checkRow = z.object({
  source_id: z.string(),
  checked_at: z.date(),
  source_at: z.date(),
  dead_listed: z.int(),
  dead_more: z.boolean(),
  at_least: z.boolean(),
  held_back_by: z.string().nullable(),
  held_back_since: z.date().nullable(),
  held_back_unsent: z.coerce.number().nullable(),
  held_back_oldest_at: z.date().nullable(),
  relays: relaysSchema,
  short_consumers: shortConsumersSchema,
})
const figure = z.coerce.number().nullable()
const topicRow = z.object({
  source_id: z.string(),
  topic: z.string(),
  unsent: figure,
  retrying: figure,
  oldest_unsent_at: z.date().nullable(),
  dead: figure,
  published: figure,
  left_it: figure,
})

/** Of each topic its last look; what left it is of the minute before that one, when both ends of it were looked at. */
const TOPICS = `
  SELECT t.source_id, t.topic, t.unsent, t.retrying, t.oldest_unsent_at, t.dead, t.published,
    CASE WHEN b.minute IS NOT NULL THEN greatest(0, t.published - (b.unsent - a.unsent)) END AS left_it
  FROM messages.source_check c
  JOIN messages.topic_minute t ON t.source_id = c.source_id AND t.minute = date_trunc('minute', c.source_at)
  LEFT JOIN messages.topic_minute b ON b.source_id = t.source_id AND b.topic = t.topic
    AND b.minute = t.minute - interval '1 minute' AND NOT c.at_least
  LEFT JOIN messages.topic_minute a ON a.source_id = t.source_id AND a.topic = t.topic
    AND a.minute = t.minute - interval '2 minutes'
  ORDER BY t.source_id, t.topic`

/** Every source of messages as it was last looked at. */
export async function readMessageSources(
  ctx: Pick<SystemContext, 'db' | 'clock'>,
): Promise<MessageSourceNow[]> {
  const now = ctx.clock.now()
  const [sources, checks, topics] = await Promise.all([
    listSources(ctx.db, now),
    ctx.db.pool.query('SELECT * FROM messages.source_check'),
    ctx.db.pool.query(TOPICS),
  ])
  const checked = checks.rows.map((row) => checkRow.parse(row))
  const counted = topics.rows.map((row) => topicRow.parse(row))
  return sources
    .filter(({ kind }) => kind === 'outbox' || kind === 'dead_letters')
    .map(({ id, name, system, kind, enabled, state, lastOkAt, lastError }) => {
      const check = checked.find(({ source_id }) => source_id === id)
      return {
        ...{ id, name, system, kind, enabled, state, lastOkAt, lastError },
        checkedAt: check?.checked_at.toISOString() ?? null,
        topics: counted.filter(({ source_id }) => source_id === id).map(toTopic),
        atLeast: check?.at_least ?? false,
        deadListed: check?.dead_listed ?? 0,
        deadMore: check?.dead_more ?? false,
        relays:
          check?.relays?.map((relay) => ({
            ...relay,
            silentMs: Math.max(0, check.source_at.getTime() - Date.parse(relay.seenAt)),
          })) ?? null,
        heldBackBy: toHeldBack(check),
        shortConsumers: check?.short_consumers ?? [],
      }
    })
}

function toHeldBack(check: z.infer<typeof checkRow> | undefined): MessageSourceNow['heldBackBy'] {
  if (check?.held_back_by == null || check.held_back_oldest_at === null) return null
  return {
    text: check.held_back_by,
    since: check.held_back_since?.toISOString() ?? null,
    unsent: check.held_back_unsent ?? 0,
    oldestAt: check.held_back_oldest_at.toISOString(),
  }
}

const toTopic = ({
  topic,
  unsent,
  retrying,
  oldest_unsent_at,
  dead,
  published,
  left_it,
}: z.infer<typeof topicRow>): TopicNow => ({
  ...{ topic, unsent, retrying, dead, published },
  oldestUnsentAt: oldest_unsent_at?.toISOString() ?? null,
  left: left_it,
})

const SERIES_POINTS_MAX = 300

const SERIES = `
  SELECT max(unsent)::float8 AS unsent FROM (
    SELECT minute, sum(unsent) AS unsent FROM messages.topic_minute
    WHERE minute >= $1 AND minute < $2 GROUP BY minute
  ) m GROUP BY floor(extract(epoch FROM minute) / $3) ORDER BY floor(extract(epoch FROM minute) / $3)`
const pointRow = z.object({ unsent: figure.transform((value) => value ?? 0) })

/** How many messages of all sources were unsent over a range: the most in each step of at least a minute. */
export async function readBacklog(
  { db }: Pick<SystemContext, 'db'>,
  { from, to }: { from: Date; to: Date },
): Promise<number[]> {
  const minutes = Math.max(1, Math.ceil((to.getTime() - from.getTime()) / 60_000 / SERIES_POINTS_MAX))
  const { rows } = await db.pool.query(SERIES, [from, to, minutes * 60])
  return rows.map((row) => pointRow.parse(row).unsent)
}
