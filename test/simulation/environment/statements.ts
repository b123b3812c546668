import pg from 'pg'
import { breakConnection, currentStrand, faultOf, never, type Strand, turn, wake } from './strands'

/** Not a step of the story: what it does depends on partitions that earlier histories have made. */
const HOUSEKEEPING = /idem_(partition_time_left|ensure_partitions|find_tier|register_tier)/

type Query = (this: pg.Client, ...args: unknown[]) => unknown
const original = pg.Client.prototype.query as Query
const queues = new WeakMap<pg.Client, Promise<unknown>>()
/** Tells the databases the time, where it has changed since they were told. */
let tellTime = async (): Promise<void> => {}
let nowMs = (): number => 0
const prepared = new WeakSet<pg.Client>()

/**
 * From here on every statement of a strand, on whatever connection, waits for its turn, and may be lost on its way there
 * or back. `search_path` puts the simulated clock before that of PostgreSQL. Statements of nobody's go through.
 */
export function interposeStatements(time: { tell(): Promise<void>; nowMs(): number }): () => void {
  tellTime = time.tell
  nowMs = time.nowMs
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const strand = currentStrand()
    if (strand === undefined || isSubmittable(args[0])) return original.apply(this, args)
    const callback = typeof args.at(-1) === 'function' ? (args.pop() as Callback) : undefined
    const before = queues.get(this) ?? Promise.resolve()
    const result = before.then(() => send(strand, this, args))
    queues.set(
      this,
      result.catch(() => undefined),
    )
    if (callback === undefined) return result
    result.then(
      (rows) => callback(null, rows),
      (error: Error) => callback(error),
    )
  } as unknown as typeof pg.Client.prototype.query
  const connect = countConnecting()
  return () => {
    pg.Client.prototype.connect = connect
    pg.Client.prototype.query = original as unknown as typeof pg.Client.prototype.query
  }
}

/** Whoever opens a connection is not waiting for its turn. Returns what was there before. */
function countConnecting(): typeof pg.Client.prototype.connect {
  const connect = pg.Client.prototype.connect
  pg.Client.prototype.connect = function (this: pg.Client, callback?: (error: Error) => void) {
    const strand = currentStrand()
    if (strand === undefined) return connect.apply(this, [callback] as never)
    strand.inFlight += 1
    const connected = new Promise<void>((resolve, reject) => {
      connect.call(this, (error: Error | null) => {
        strand.inFlight -= 1
        wake()
        if (callback !== undefined) callback(error as Error)
        else if (error) reject(error)
        else resolve()
      })
    })
    return callback === undefined ? connected : undefined
  } as typeof pg.Client.prototype.connect
  return connect
}

type Callback = (error: Error | null, result?: unknown) => void

const isSubmittable = (query: unknown): boolean =>
  typeof query === 'object' && query !== null && 'submit' in query

async function send(strand: Strand, client: pg.Client, args: unknown[]): Promise<unknown> {
  strand.process.clients.add(client)
  if (!prepared.has(client)) {
    prepared.add(client)
    client.on('error', () => {})
    await run(strand, client, ['SET search_path = public, pg_catalog'])
  }
  const text = textOf(args[0])
  if (HOUSEKEEPING.test(text)) return run(strand, client, args)
  const label = text.trim().replace(/\s+/g, ' ').slice(0, 60)
  await turn(strand, label)
  const fault = faultOf(strand)
  if (fault === 'unsent') throw lost(client)
  strand.sentMs = nowMs()
  const result = await run(strand, client, args)
  if (strand.process.dead) return never()
  if (fault === 'lost') throw lost(client)
  await turn(strand, `answer of ${label}`)
  return result
}

async function run(strand: Strand, client: pg.Client, args: unknown[]): Promise<unknown> {
  strand.inFlight += 1
  try {
    await tellTime()
    return await original.apply(client, args)
  } finally {
    strand.inFlight -= 1
    wake()
  }
}

const textOf = (query: unknown): string =>
  typeof query === 'string' ? query : String((query as { text?: string }).text ?? '')

function lost(client: pg.Client): Error {
  breakConnection(client)
  return new Error('Connection terminated unexpectedly')
}
