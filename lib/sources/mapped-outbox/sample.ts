import { z } from 'zod'
import { type MessageSample, SourceUnavailableError } from '../contracts'
import { createBinder } from '../mapped/bind'
import type { Table } from '../mapped/resolve'
import { type SourcePool, storeClock } from '../postgres-pool'
import { hasDead, type MappedOutboxConfig } from './config'
import { buildExpressions } from './expressions'

const COUNTED_MAX = 20_000
const PUBLISHED_MAX = 100_000

type Mapped = { pool: SourcePool; config: MappedOutboxConfig; table: Table }

const unsentRow = z.object({
  topic: z.string(),
  unsent: z.int(),
  retrying: z.int(),
  oldest: z.date().nullable(),
  dead: z.int(),
  dead_since: z.date().nullable(),
})
const publishedRow = z.object({ topic: z.string(), count: z.int() })

/** What is unsent and dead, counted up to a bound, and what came in the last whole minute where an index finds it. */
export async function sampleMapped(mapped: Mapped): Promise<MessageSample> {
  const now = await storeClock(mapped.pool)
  const marked = mapped.config.state.kind !== 'unmarked'
  const open = marked ? await countUnsent(mapped).catch(advise) : []
  const published = await countPublished(mapped, now)
  const topics = [...new Set([...open, ...(published ?? [])].map(({ topic }) => topic))].sort()
  const dead = hasDead(mapped.config)
  const tried = mapped.config.columns.attempts !== undefined || mapped.config.state.kind === 'values'
  return {
    now,
    topics: topics.map((topic) => {
      const found = open.find((row) => row.topic === topic)
      return {
        topic,
        unsent: marked ? (found?.unsent ?? 0) : null,
        retrying: marked && tried ? (found?.retrying ?? 0) : null,
        oldestUnsentAt: found?.oldest ?? null,
        dead: dead ? (found?.dead ?? 0) : null,
        oldestDeadAt: found?.dead_since ?? null,
        published: published === null ? null : (published.find((row) => row.topic === topic)?.count ?? 0),
      }
    }),
    atLeast:
      total(open.map((row) => row.unsent + row.dead)) >= COUNTED_MAX ||
      total((published ?? []).map(({ count }) => count)) >= PUBLISHED_MAX,
    relays: null,
    heldBackBy: null,
    redeliveryHorizonMs: null,
  }
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)

async function countUnsent({ pool, config, table }: Mapped) {
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  const rows = await pool.query(
    `SELECT x.topic, count(*) FILTER (WHERE x.state IN ('pending', 'retrying'))::int AS unsent,
       count(*) FILTER (WHERE x.state = 'retrying')::int AS retrying,
       min(x.created_at) FILTER (WHERE x.state IN ('pending', 'retrying')) AS oldest,
       count(*) FILTER (WHERE x.state = 'dead')::int AS dead,
       min(coalesce(x.settled_at, x.created_at)) FILTER (WHERE x.state = 'dead') AS dead_since
     FROM (SELECT ${e.topic()} AS topic, ${e.state()} AS state, ${e.createdAt()} AS created_at, ${e.settledAt()} AS settled_at
       FROM ${table.from} t WHERE ${e.unsent()} LIMIT ${COUNTED_MAX}) x GROUP BY x.topic`,
    values,
  )
  return rows.map((row) => unsentRow.parse(row))
}

/** null = no index leads by the time of publishing: the whole table would be read each time. */
async function countPublished({ pool, config, table }: Mapped, now: Date) {
  const { createdAt } = config.columns
  if (createdAt === undefined || !table.indexed.has(createdAt)) return null
  if (!/^timestamp/.test(table.column(createdAt).type)) return null
  const { bind, values } = createBinder()
  const e = buildExpressions(config, table, bind)
  const zoned = table.column(createdAt).type === 'timestamp with time zone'
  const minute = (ago: string) => {
    const at = `date_trunc('minute', ${bind(now, 'timestamptz')}) - interval '${ago}'`
    return zoned ? at : `(${at}) AT TIME ZONE ${bind(config.timeZone, 'text')}`
  }
  const column = `t.${table.column(createdAt).sql}`
  const rows = await pool.query(
    `SELECT x.topic, count(*)::int AS count FROM (SELECT ${e.topic()} AS topic FROM ${table.from} t
       WHERE ${column} >= ${minute('1 minute')} AND ${column} < ${minute('0')} LIMIT ${PUBLISHED_MAX}) x GROUP BY x.topic`,
    values,
  )
  return rows.map((row) => publishedRow.parse(row))
}

/** A large table without an index on what is unsent. */
export function advise(error: unknown): never {
  if (!(error instanceof SourceUnavailableError) || error.fault !== 'slow') throw error
  throw new SourceUnavailableError(
    `${error.message}. An index on what is unsent is advised, as the SQL for its role says`,
    { cause: error, fault: 'slow', refused: true },
  )
}
