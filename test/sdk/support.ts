import pg from 'pg'
import type { Clock } from '@/sdk/clock'
import { type IdempotentHandler, type IdempotentOptions, idempotent } from '@/sdk/idempotent'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import type { Acquired, AcquireRequest, Holder } from '@/sdk/stores/store'
import { createEmptyDatabase } from '../support/database'

export type StoreFixture = {
  url: string
  pool: pg.Pool
  store: PostgresStore
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

export const KEY_SECRET = 'test-secret-of-32-characters-0000'
const TTL_MS = 3_600_000

/** A native store in a database of its own, with the tier `default` of one hour. */
export async function createStoreFixture(connectionsMax = 10): Promise<StoreFixture> {
  const database = await createEmptyDatabase()
  const pool = openPool(database.url, connectionsMax)
  const store = createPostgresStore({ pool })
  await store.migrate()
  await store.registerTier('default', TTL_MS)
  return {
    url: database.url,
    pool,
    store,
    query: async (sql, values = []) => (await pool.query(sql, values)).rows,
    async close() {
      store.close()
      await pool.end()
      await database.close()
    },
  }
}

/** A pool whose connections may be cut when its database is dropped. */
export function openPool(url: string, max: number, options?: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max, ...(options === undefined ? {} : { options }) })
  pool.on('error', () => {})
  pool.on('connect', (client) => void client.on('error', () => {}))
  return pool
}

export const acquireRequest = (key: string, over: Partial<AcquireRequest> = {}): AcquireRequest => ({
  scope: 'web/POST /v1/payments',
  key,
  tier: 'default',
  fingerprint: Buffer.alloc(16, 1),
  owner: 'test',
  leaseMs: 10_000,
  traceId: null,
  ...over,
})

/** The holder of an acquired key; throws when it was not acquired. */
export function holderOf(request: AcquireRequest, acquired: Acquired): Holder {
  if (acquired.kind !== 'acquired' && acquired.kind !== 'takeover')
    throw new Error(`not acquired: ${acquired.kind}`)
  return {
    scope: request.scope,
    key: request.key,
    fence: acquired.fence,
    owner: request.owner,
    tier: request.tier,
  }
}

export const okResponse = (body = '{}') => ({
  status: 201,
  headers: [['content-type', 'application/json']] as [string, string][],
  body: new TextEncoder().encode(body),
})

/** Lets the lease of a key pass, without waiting. */
export const expireLease = (fixture: StoreFixture, key: string) =>
  fixture.query(
    `UPDATE idem_lease SET lease_until = clock_timestamp() - interval '1 second',
      heartbeat_at = heartbeat_at - interval '1 minute' WHERE key = idem_key_bytes($1)`,
    [key],
  )

export function postJson(
  body: unknown,
  headers: Record<string, string> = {},
  path = '/v1/payments',
): Request {
  return new Request(`http://service.test${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

export type Gate<T> = { promise: Promise<T>; resolve(value: T): void }

/** A promise that a test opens itself (Promise.withResolvers is not in Node 20). */
export function createGate<T = void>(): Gate<T> {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** Wraps handlers on the fixture's store; what is not said is as simple as can be. */
export const idempotentOn =
  (fixture: () => StoreFixture) =>
  (handler: IdempotentHandler<pg.PoolClient>, over: Partial<IdempotentOptions<pg.PoolClient>> = {}) =>
    idempotent<pg.PoolClient>(handler, {
      store: fixture().store,
      keySecret: KEY_SECRET,
      scope: () => ({ caller: 'web', route: '/v1/payments' }),
      ...over,
    })

/** As in idem_lease; null when the key has no lease. */
export async function leaseState(fixture: StoreFixture, key: string): Promise<string | null> {
  const [row] = await fixture.query<{ state: string }>(
    'SELECT state FROM idem_lease WHERE key = idem_key_bytes($1)',
    [key],
  )
  return row?.state ?? null
}

/** Time of the SDK's own timers, which only the test moves. */
export function createManualClock() {
  let nowMs = 0
  const timers = new Set<{ atMs: number; call: () => void }>()
  const clock: Clock = {
    nowMs: () => nowMs,
    after(delayMs, call) {
      const timer = { atMs: nowMs + delayMs, call }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  /** Fires what becomes due, in its order. */
  function advance(byMs: number): void {
    const untilMs = nowMs + byMs
    for (;;) {
      const [next] = [...timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      timers.delete(next)
      nowMs = next.atMs
      next.call()
    }
    nowMs = untilMs
  }
  /** As for a process that was stopped: what became due meanwhile has not fired. */
  function skip(byMs: number): void {
    nowMs += byMs
  }
  return { clock, advance, skip }
}

/** A body that sends one chunk and goes on when the test says so. */
export function createSlowBody() {
  const read = createGate()
  const cancelled = createGate<unknown>()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
        given.enqueue(new TextEncoder().encode('begun, '))
      },
      // Asked for a second time = the first chunk was taken.
      pull: () => read.resolve(),
      cancel: (reason) => cancelled.resolve(reason),
    },
    { highWaterMark: 1 },
  )
  return {
    stream,
    /** Somebody reads it. */
    read: read.promise,
    cancelled: cancelled.promise,
    end() {
      controller?.enqueue(new TextEncoder().encode('ended'))
      controller?.close()
    },
    fail: (error: Error) => controller?.error(error),
  }
}
