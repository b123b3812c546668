import { z } from 'zod'
import type { HeldBackBy, MessageSample, TopicSample } from '../contracts'
import { type SourcePool, storeClock } from '../postgres-pool'

/** Of each of the 32 lanes so many of the oldest unsent messages are counted, and of all others so many in all. */
const LANE_MAX = 1_000
const COUNTED_MAX = 20_000

/**
 * The oldest of each lane come first in its index: the oldest of all is among them however many there are. A relay stops in a lane
 * at the first that is not below the oldest open transaction: it and all behind it are held back.
 */
const UNSENT = `
  SELECT o.topic, count(*)::int AS count, min(o.created_at) AS oldest, max(o.nth)::int AS nth,
    count(*) FILTER (WHERE o.held)::int AS held, min(o.created_at) FILTER (WHERE o.held) AS "heldOldest"
  FROM idem_outbox_lane l CROSS JOIN LATERAL (
    SELECT p.topic, p.created_at, row_number() OVER (ORDER BY p.seq) AS nth,
      bool_or(p.xid >= pg_snapshot_xmin(pg_current_snapshot())) OVER (ORDER BY p.seq) AS held
    FROM idem_outbox p WHERE p.lane = l.lane AND p.state = 'P' ORDER BY p.seq LIMIT ${LANE_MAX}
  ) o GROUP BY o.topic`

const byTopic = (where: string, oldest: string, limit = COUNTED_MAX) => `
  SELECT o.topic, count(*)::int AS count, min(o.at) AS oldest, sum(count(*)) OVER ()::int AS nth
  FROM (SELECT topic, ${oldest} AS at FROM idem_outbox WHERE ${where} LIMIT ${limit}) o GROUP BY o.topic`

const RETRYING = byTopic("state IN ('R', 'W')", 'created_at')
const DEAD = byTopic("state = 'D'", 'settled_at')
const PUBLISHED_MAX = 100_000
const PUBLISHED = byTopic(
  `id >= idem_outbox_id_at(date_trunc('minute', $1::timestamptz) - interval '1 minute')
   AND id < idem_outbox_id_at(date_trunc('minute', $1::timestamptz))`,
  'created_at',
  PUBLISHED_MAX,
)

const countRow = z.object({ topic: z.string(), count: z.int(), oldest: z.date(), nth: z.int() })
type CountRow = z.infer<typeof countRow>
const unsentRow = countRow.extend({ held: z.int(), heldOldest: z.date().nullable() })
type UnsentRow = z.infer<typeof unsentRow>
const relayRow = z.object({
  owner: z.string(),
  startedAt: z.date(),
  seenAt: z.date(),
  asleep: z.boolean(),
})
const holderRow = z.object({
  pid: z.int().nullable(),
  since: z.date().nullable(),
  application: z.string().nullable(),
  user_name: z.string().nullable(),
  database: z.string().nullable(),
  prepared: z.string().nullable(),
})

/** What is unsent, dead and was published by topic; every count is bounded. */
export async function sampleOutbox(pool: SourcePool): Promise<MessageSample> {
  const now = await storeClock(pool)
  const counted = async (sql: string, values: unknown[] = []) =>
    (await pool.query(sql, values)).map((row) => countRow.parse(row))
  const unsent = (await pool.query(UNSENT)).map((row) => unsentRow.parse(row))
  const [retrying, dead, published] = [
    await counted(RETRYING),
    await counted(DEAD),
    await counted(PUBLISHED, [now]),
  ]
  const relays = await pool.query(
    `SELECT owner, started_at AS "startedAt", seen_at AS "seenAt", asleep FROM idem_outbox_relay ORDER BY owner LIMIT 100`,
  )
  return {
    now,
    topics: merge({ unsent, retrying, dead, published }),
    atLeast:
      unsent.some(({ nth }) => nth >= LANE_MAX) ||
      [retrying, dead].some((rows) => rows.some(({ nth }) => nth >= COUNTED_MAX)) ||
      published.some(({ nth }) => nth >= PUBLISHED_MAX),
    relays: relays.map((row) => relayRow.parse(row)),
    heldBackBy: await readHolder(pool, unsent),
    redeliveryHorizonMs: null,
  }
}

function merge(counts: Record<'unsent' | 'retrying' | 'dead' | 'published', CountRow[]>): TopicSample[] {
  const topics = new Set(Object.values(counts).flatMap((rows) => rows.map(({ topic }) => topic)))
  return [...topics].sort().map((topic) => {
    const of = (name: keyof typeof counts) => counts[name].find((row) => row.topic === topic)
    const [unsent, retrying, dead] = [of('unsent'), of('retrying'), of('dead')]
    const oldest = [unsent, retrying].flatMap((row) => (row === undefined ? [] : [row.oldest.getTime()]))
    return {
      topic,
      // What failed, or waits behind it, is unsent too.
      unsent: (unsent?.count ?? 0) + (retrying?.count ?? 0),
      retrying: retrying?.count ?? 0,
      oldestUnsentAt: oldest.length === 0 ? null : new Date(Math.min(...oldest)),
      dead: dead?.count ?? 0,
      oldestDeadAt: dead?.oldest ?? null,
      published: of('published')?.count ?? 0,
    }
  })
}

async function readHolder(pool: SourcePool, unsent: readonly UnsentRow[]): Promise<HeldBackBy | null> {
  const oldest = unsent.flatMap(({ heldOldest }) => heldOldest?.getTime() ?? [])
  if (oldest.length === 0) return null
  const [raw] = await pool.query('SELECT * FROM idem_outbox_holder()')
  if (raw === undefined) return null
  const { pid, since, application, user_name, database, prepared } = holderRow.parse(raw)
  const who = [
    application ?? 'a transaction',
    user_name === null ? '' : `of ${user_name}`,
    database === null ? '' : `in ${database}`,
  ]
  const what = prepared === null ? `process ${pid ?? 'unknown'}` : `prepared as ${prepared}`
  return {
    text: `${who.filter(Boolean).join(' ')} (${what})`,
    since,
    unsent: unsent.reduce((sum, { held }) => sum + held, 0),
    oldestAt: new Date(Math.min(...oldest)),
  }
}
