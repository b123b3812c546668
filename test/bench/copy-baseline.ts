import { once } from 'node:events'
import type { Readable } from 'node:stream'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { systemClock } from '@/lib/core/clock'
import { closeDatabase, openDatabase } from '@/lib/db'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { BATCH_SPANS } from './otlp-traffic'

/** The tables that intake fills, a row or more for each span or batch; smaller ones are left out in our disfavour. */
const TABLES = ['span', 'keyed_request', 'effect', 'key'] as const
type Table = (typeof TABLES)[number]

/** What ingest wrote, as COPY's text, in batches as large as the exporters'. */
export type Written = {
  spans: number
  keyedRequests: number
  bytes: { span: number; keyed_request: number }
  /** for each table as many pieces as there were batches */
  pieces: Record<Table, Buffer[]> | null
}

export async function readBack(url: string, spansExpected: number): Promise<Written> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const count = async (table: Table) =>
      Number((await client.query(`SELECT count(*) AS n FROM telemetry.${table}`)).rows[0].n)
    const spans = await count('span')
    if (spans !== spansExpected)
      throw new Error(`${spansExpected} spans were acknowledged, ${spans} are stored`)
    const pieces = {} as Record<Table, Buffer[]>
    for (const table of TABLES)
      pieces[table] = await pieceBatches(client, table, Math.ceil(spans / BATCH_SPANS))
    const size = async (...names: string[]) => Number((await client.query(SIZE, [names])).rows[0].bytes)
    await client.query('VACUUM ANALYZE')
    const bytes = { span: await size('span'), keyed_request: await size('keyed_request', 'key') }
    return { spans, keyedRequests: await count('keyed_request'), bytes, pieces }
  } finally {
    await client.end()
  }
}

const SIZE = `
  SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) AS bytes
  FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
  WHERE (c.relkind = 'r' AND coalesce(i.inhparent, c.oid) = ANY (
    SELECT ('telemetry.' || name)::regclass FROM unnest($1::text[]) AS name))`

/** Rows in the order in which they were written, so that the baseline has the same locality. */
async function pieceBatches(client: pg.Client, table: Table, batches: number): Promise<Buffer[]> {
  const columns = await columnsOf(client, table)
  const stream = client.query(copyTo(`COPY (SELECT ${columns} FROM telemetry.${table}) TO STDOUT`))
  const chunks: Buffer[] = []
  for await (const chunk of stream as Readable) chunks.push(chunk as Buffer)
  const all = Buffer.concat(chunks)
  const pieces: Buffer[] = []
  let from = 0
  for (let piece = 1; piece <= batches; piece++) {
    const aim = Math.floor((all.length * piece) / batches)
    const to = piece === batches ? all.length : all.indexOf(10, Math.max(from, aim - 1)) + 1
    if (to > from) pieces.push(all.subarray(from, to))
    from = Math.max(from, to)
  }
  return pieces
}

async function columnsOf(client: pg.Client, table: Table): Promise<string> {
  const { rows } = await client.query(
    `SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
    [`telemetry.${table}`],
  )
  return rows[0].columns
}

/** In seconds. */
export type Copied = { oneStream: number; inBatches: number; inBatchesCpu: number; spansAlone: number }

export async function prepareBaseline(url: string): Promise<string> {
  const db = openDatabase(url, 2)
  await ensurePartitions(db, systemClock)
  await closeDatabase(db)
  return url
}

export function emptyTables(url: string): Promise<unknown> {
  return withClient(url, (client) =>
    client.query(`TRUNCATE ${TABLES.map((table) => `telemetry.${table}`).join(', ')}`),
  )
}

/**
 * The bare engine doing the same work, durable as ours: COPY as one runs it, a statement for each table, in one
 * transaction; then as many connections as exporters, each committing a batch of every table at a time, which is the
 * most that these processors give; then so of spans alone.
 */
export async function copyAgain(
  url: string,
  { pieces }: Written,
  { connections, cpuSeconds }: { connections: number; cpuSeconds(): number },
): Promise<Copied> {
  if (pieces === null) throw new Error('no rows')
  await emptyTables(url)
  const before = cpuSeconds()
  const batches = await inBatches(url, pieces, TABLES, connections)
  const inBatchesCpu = cpuSeconds() - before
  await emptyTables(url)
  const oneStream = await withClient(url, (client) =>
    timed(async () => {
      await client.query('BEGIN')
      for (const table of TABLES) await copyInto(client, table, pieces[table])
      await client.query('COMMIT')
    }),
  )
  await emptyTables(url)
  const spansAlone = await inBatches(url, pieces, ['span'], connections)
  return { oneStream, inBatches: batches, inBatchesCpu, spansAlone }
}

async function inBatches(
  url: string,
  pieces: Record<Table, Buffer[]>,
  tables: readonly Table[],
  connections: number,
) {
  const batches = Math.max(...tables.map((table) => pieces[table].length))
  let next = 0
  const work = () =>
    withClient(url, async (client) => {
      for (let batch = next++; batch < batches; batch = next++) {
        await client.query('BEGIN')
        for (const table of tables) {
          const piece = pieces[table][batch]
          if (piece) await copyInto(client, table, [piece])
        }
        await client.query('COMMIT')
      }
    })
  return timed(() => Promise.all(Array.from({ length: connections }, work)))
}

async function copyInto(client: pg.Client, table: Table, pieces: readonly Buffer[]): Promise<void> {
  const columns = await columnsCached(client, table)
  const stream = client.query(copyFrom(`COPY telemetry.${table} (${columns}) FROM STDIN`))
  const finished = once(stream, 'finish')
  for (const piece of pieces) if (!stream.write(piece)) await once(stream, 'drain')
  stream.end()
  await finished
}

const known = new Map<Table, string>()
async function columnsCached(client: pg.Client, table: Table): Promise<string> {
  const columns = known.get(table) ?? (await columnsOf(client, table))
  known.set(table, columns)
  return columns
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
