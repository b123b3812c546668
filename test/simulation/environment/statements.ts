import pg from 'pg'
import { type DescribeBackends, inOrder, type ReadBackends, setBackends } from './in-order'
import { breakConnection, currentStrand, faultOf, isBroken, never, type Strand, turn } from './strands'
import { wake } from './wake'

/** Not a step of the story: what it does depends on partitions that earlier histories have made. */
const HOUSEKEEPING = /idem_(partition_time_left|ensure_partitions|find_tier|register_tier)/
const READS_HOLDS = /idem_holds\(/
const TAKES_LOCK = /^\s*SELECT pg_advisory_xact_lock/

type Query = (this: pg.Client, ...args: unknown[]) => unknown
const original = pg.Client.prototype.query as Query
const queues = new WeakMap<pg.Client, Promise<unknown>>()
/** Tells the databases the time, where it has changed since they were told. */
let tellTime = async (): Promise<void> => {}
let storeMs = (): number => 0

/**
 * From here on every statement of a strand, on whatever connection, waits for its turn, and may be lost on its way there
 * or back. `search_path` puts the simulated clock before that of PostgreSQL. Statements of nobody's go through.
 */
export function interposeStatements(given: {
  tellTime(): Promise<void>
  storeMs(): number
  readBackends: ReadBackends
  describeBackends: DescribeBackends
}): () => void {
  tellTime = given.tellTime
  storeMs = given.storeMs
  setBackends(given.readBackends, given.describeBackends)
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
    return answerTo(callback, result)
  } as unknown as typeof pg.Client.prototype.query
  const undoConnections = orderConnections()
  return () => {
    undoConnections()
    pg.Client.prototype.query = original as unknown as typeof pg.Client.prototype.query
  }
}

/** Whoever is given a connection, a new one or one of before, is given it in the order of asking. Returns the undoing. */
function orderConnections(): () => void {
  const [connect, take] = [pg.Client.prototype.connect, pg.Pool.prototype.connect]
  let isOfPool = false
  const ordered = <T>(strand: Strand, open: () => Promise<T>) => {
    strand.inFlight += 1
    return inOrder(null, open).finally(() => {
      strand.inFlight -= 1
      wake()
    })
  }
  pg.Client.prototype.connect = function (this: pg.Client, callback?: Callback) {
    const strand = currentStrand()
    const open = async () => {
      this.on('error', () => {})
      await (connect as () => Promise<pg.Client>).call(this)
      await original.call(this, 'SET search_path = public, pg_catalog')
    }
    return answerTo(callback, strand === undefined || isOfPool ? open() : ordered(strand, open))
  } as typeof connect
  pg.Pool.prototype.connect = function (this: pg.Pool, callback?: TakeCallback) {
    const strand = currentStrand()
    // Of an exhausted pool it is given one when somebody gives one back.
    if (strand === undefined || this.totalCount - this.idleCount >= this.options.max)
      return take.apply(this, [callback] as never)
    const taken = ordered(strand, () => {
      isOfPool = true
      try {
        return (take as () => Promise<pg.PoolClient>).call(this)
      } finally {
        isOfPool = false
      }
    })
    if (callback === undefined) return taken
    taken.then(
      (client) => callback(undefined, client, client.release),
      (error: Error) => callback(error, undefined, () => {}),
    )
  } as typeof take
  return () => {
    pg.Client.prototype.connect = connect
    pg.Pool.prototype.connect = take
  }
}

type TakeCallback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (broken?: boolean) => void,
) => void

type Callback = (error: Error | null, result?: unknown) => void

function answerTo<T>(callback: Callback | undefined, result: Promise<T>): Promise<T> | undefined {
  if (callback === undefined) return result
  result.then(
    (rows) => callback(null, rows),
    (error: Error) => callback(error),
  )
  return undefined
}

const isSubmittable = (query: unknown): boolean =>
  typeof query === 'object' && query !== null && 'submit' in query

async function send(strand: Strand, client: pg.Client, args: unknown[]): Promise<unknown> {
  strand.process.clients.add(client)
  const text = textOf(args[0])
  if (HOUSEKEEPING.test(text)) return run(strand, client, args)
  const label = text.trim().replace(/\s+/g, ' ').slice(0, 60)
  const readsHolds = READS_HOLDS.test(text)
  if (readsHolds) strand.process.holdsRead = { ...strand.process.holdsRead, unanswered: true }
  await turn(strand, label)
  const fault = faultOf(strand)
  if (fault === 'unsent') throw lost(client)
  const sentMs = storeMs()
  strand.sentMs = sentMs
  const result = await run(strand, client, args)
  if (strand.process.dead) return never()
  if (fault === 'lost') throw lost(client)
  await turn(strand, `answer of ${label}`)
  if (isBroken(client)) throw lost(client)
  if (readsHolds) strand.process.holdsRead = { ofMs: sentMs, unanswered: false }
  return result
}

async function run(strand: Strand, client: pg.Client, args: unknown[]): Promise<unknown> {
  strand.inFlight += 1
  try {
    const ask = async () => {
      await tellTime()
      return original.apply(client, args)
    }
    return await inOrder(client, ask, { takesLock: TAKES_LOCK.test(textOf(args[0])) })
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
