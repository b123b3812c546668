import type { SystemContext } from '@/lib/context'
import { canonicalJson } from '@/lib/core/canonical-json'
import { newId } from '@/lib/core/ids'
import { redactText } from '@/lib/core/redact'
import { inTransaction } from '@/lib/db'
import { notify } from '@/lib/live-events'
import type { MessageRow, MessageSample, MessageSource } from '@/lib/sources/contracts'
import { type OpenSource, openMessageSources } from '@/lib/sources/registry'
import { readShortConsumers, type ShortConsumer, shortConsumersSchema } from './dedup/short-consumers'
import { fingerprintOf } from './fingerprint'

/** Dead letters of one source that are listed; that there are more is said wherever they are shown. */
const DEAD_MAX = 10_000
const PAGE_ROWS = 1_000
const KEPT_DAYS = 14
/** More topics than these are no list that anybody reads. */
const TOPICS_MAX = 500
const ERROR_CHARS_MAX = 8_192
const TEXT_CHARS_MAX = 1_000

export type CheckedMessages =
  | { source: string; kind: 'checked'; dead: number; gone: number; more: boolean }
  | { source: string; kind: 'unreachable'; error: string }

/** Looks at every source of messages: how much is unsent, and what is dead. One that is down hides no other. */
export async function checkMessages(ctx: SystemContext, deadMax = DEAD_MAX): Promise<CheckedMessages[]> {
  const checked: CheckedMessages[] = []
  for (const open of await openMessageSources(ctx)) {
    try {
      checked.push(await checkSource(ctx, open, deadMax))
    } catch (error) {
      ctx.log.warn({ err: error, source: open.id }, 'a source of messages could not be read')
      const message = error instanceof Error ? error.message : String(error)
      checked.push({ source: open.id, kind: 'unreachable', error: message.slice(0, 300) })
    }
  }
  await ctx.db.pool.query(PRUNE)
  if (checked.length > 0) await notify(ctx.db.pool, { kind: 'messages' })
  return checked
}

const PRUNE = `
  WITH minutes AS (DELETE FROM messages.topic_minute WHERE minute < now() - interval '${KEPT_DAYS} days'),
    edited AS (DELETE FROM messages.edited WHERE at < now() - interval '${KEPT_DAYS} days')
  DELETE FROM messages.dead_letter WHERE gone_at < now() - interval '${KEPT_DAYS} days'`

async function checkSource(
  ctx: SystemContext,
  { id, source }: OpenSource<MessageSource>,
  deadMax: number,
): Promise<CheckedMessages> {
  const checkedAt = ctx.clock.now()
  const sample = await source.sample()
  const dead: MessageRow[] = []
  let cursor: string | null = null
  do {
    const page = await source.readDead(cursor, Math.min(PAGE_ROWS, deadMax - dead.length))
    dead.push(...page.items)
    cursor = page.cursor
  } while (cursor !== null && dead.length < deadMax)
  const more = cursor !== null
  const short = await readShortConsumers(ctx, source, sample, () => lastShort(ctx, id))
  const gone = await inTransaction(ctx.db.pool, async (client) => {
    // Two checks of one source at once: the later one stands.
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`messages:${id}`])
    const { rows } = await client.query<{ later: boolean }>(
      'SELECT checked_at > $2 AS later FROM messages.source_check WHERE source_id = $1',
      [id, checkedAt],
    )
    if (rows[0]?.later === true) return 0
    await client.query(SAVE_CHECK, [
      ...checkValues(id, checkedAt, sample, dead.length, more),
      canonicalJson(short),
      sample.heldBackBy?.unsent ?? null,
      sample.heldBackBy?.oldestAt ?? null,
    ])
    await client.query(SAVE_TOPICS, [
      id,
      sample.now,
      canonicalJson(sample.topics.slice(0, TOPICS_MAX).map(toTopic)),
    ])
    await client.query(SAVE_DEAD, [id, checkedAt, canonicalJson(dead.map(toRow))])
    // Beyond what was listed nothing is known to be gone.
    const places = dead.map(({ seen }) => seen.place)
    const { rowCount } = await client.query(MARK_GONE, [id, checkedAt, more ? lastDied(dead) : null, places])
    return rowCount ?? 0
  })
  return { source: id, kind: 'checked', dead: dead.length, gone, more }
}

async function lastShort({ db }: SystemContext, sourceId: string): Promise<ShortConsumer[]> {
  const { rows } = await db.pool.query<{ short: unknown }>(
    'SELECT short_consumers AS short FROM messages.source_check WHERE source_id = $1',
    [sourceId],
  )
  return rows[0] === undefined ? [] : shortConsumersSchema.parse(rows[0].short)
}

const SAVE_CHECK = `
  INSERT INTO messages.source_check
    (source_id, checked_at, source_at, at_least, relays, held_back_by, held_back_since, dead_listed, dead_more, short_consumers,
     held_back_unsent, held_back_oldest_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (source_id) DO UPDATE SET checked_at = excluded.checked_at, source_at = excluded.source_at,
    at_least = excluded.at_least, relays = excluded.relays, held_back_by = excluded.held_back_by,
    held_back_since = excluded.held_back_since, dead_listed = excluded.dead_listed, dead_more = excluded.dead_more,
    short_consumers = excluded.short_consumers, held_back_unsent = excluded.held_back_unsent,
    held_back_oldest_at = excluded.held_back_oldest_at`

const checkValues = (
  id: string,
  checkedAt: Date,
  { now, atLeast, relays, heldBackBy }: MessageSample,
  listed: number,
  more: boolean,
) => [
  ...[id, checkedAt, now, atLeast, relays === null ? null : canonicalJson(relays)],
  ...[heldBackBy?.text ?? null, heldBackBy?.since ?? null, listed, more],
]

/** A topic that has nothing any more is there with zeros, so that its line goes down. */
const SAVE_TOPICS = `
  INSERT INTO messages.topic_minute
    (source_id, minute, topic, unsent, retrying, oldest_unsent_at, dead, oldest_dead_at, published)
  SELECT $1, date_trunc('minute', $2::timestamptz), t.topic, t.unsent, t.retrying, t."oldestUnsentAt", t.dead,
    t."oldestDeadAt", t.published
  FROM (
    SELECT * FROM jsonb_to_recordset($3::jsonb) t(topic text, unsent bigint, retrying bigint, "oldestUnsentAt" timestamptz,
      dead bigint, "oldestDeadAt" timestamptz, published bigint)
    UNION ALL
    SELECT DISTINCT p.topic, 0::bigint, 0::bigint, NULL::timestamptz, 0::bigint, NULL::timestamptz, 0::bigint
    FROM messages.topic_minute p
    WHERE p.source_id = $1 AND p.minute >= date_trunc('minute', $2::timestamptz) - interval '1 hour'
      AND p.topic NOT IN (SELECT s.topic FROM jsonb_to_recordset($3::jsonb) s(topic text))
      AND p.unsent + p.dead + p.published > 0
  ) t
  ON CONFLICT (source_id, minute, topic) DO UPDATE SET unsent = excluded.unsent, retrying = excluded.retrying,
    oldest_unsent_at = excluded.oldest_unsent_at, dead = excluded.dead, oldest_dead_at = excluded.oldest_dead_at,
    published = excluded.published`

const toTopic = (topic: MessageSample['topics'][number]) => ({ ...topic, topic: storable(topic.topic) })

/** What PostgreSQL can keep as text, and no more than a person reads. */
const storable = (text: string, charsMax = TEXT_CHARS_MAX): string =>
  text.slice(0, charsMax).replaceAll('\0', '\u{fffd}').toWellFormed()
const orNull = (text: string | null, charsMax?: number): string | null =>
  text === null ? null : storable(text, charsMax)

function toRow(message: MessageRow) {
  // It may quote what it failed on.
  const error = message.error === null ? null : redactText(storable(message.error, ERROR_CHARS_MAX))
  return {
    letter: newId('msg'),
    place: message.seen.place,
    version: message.seen.version,
    id: orNull(message.id),
    topic: storable(message.topic),
    key: orNull(message.key),
    type: orNull(message.type),
    group: orNull(message.group),
    error,
    attempts: message.attempts,
    sizeBytes: message.sizeBytes,
    traceId: orNull(message.traceId),
    publishedAt: message.publishedAt,
    settledAt: message.settledAt,
    ...fingerprintOf(message.topic, error),
  }
}

/**
 * Only what has changed is written: most of it is as it was ten seconds ago. What a verb has ended since the look began stays
 * ended.
 */
const SAVE_DEAD = `
  INSERT INTO messages.dead_letter AS d (id, source_id, place, version, message_id, topic, key, type, group_name, error,
    fingerprint, title, attempts, size_bytes, trace_id, published_at, died_at, checked_at)
  SELECT r.letter, $1, r.place, r.version, r.id, r.topic, r.key, r.type, r."group", r.error, r.fingerprint, r.title, r.attempts,
    r."sizeBytes", r."traceId", r."publishedAt", r."settledAt", $2
  FROM jsonb_to_recordset($3::jsonb) r(letter text, place text, version text, id text, topic text, key text, type text,
    "group" text, error text, fingerprint text, title text, attempts integer, "sizeBytes" integer, "traceId" text,
    "publishedAt" timestamptz, "settledAt" timestamptz)
  ON CONFLICT (source_id, place) DO UPDATE SET version = excluded.version, error = excluded.error,
    fingerprint = excluded.fingerprint, title = excluded.title, attempts = excluded.attempts, died_at = excluded.died_at,
    published_at = excluded.published_at, checked_at = excluded.checked_at, gone_at = NULL
  WHERE (d.version <> excluded.version OR d.gone_at IS NOT NULL OR d.fingerprint <> excluded.fingerprint)
    AND (d.gone_at IS NULL OR d.gone_at < excluded.checked_at)`

const MARK_GONE = `
  UPDATE messages.dead_letter SET gone_at = $2
  WHERE source_id = $1 AND gone_at IS NULL AND checked_at < $2 AND ($3::timestamptz IS NULL OR died_at < $3)
    AND NOT (place = ANY ($4::text[]))`

const lastDied = (dead: readonly MessageRow[]): Date | null => dead.at(-1)?.settledAt ?? null
