import { randomBytes, randomUUID } from 'node:crypto'
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency'
import { CachePersistenceLayer } from '@aws-lambda-powertools/idempotency/cache'
import { Idempotency } from '@node-idempotency/core'
import { RedisStorageAdapter } from '@node-idempotency/storage-adapter-redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { createRedisStore, type RedisStore, type RedisStoreOptions } from '@/sdk/stores/redis'
import { type RedisServer, startRedis } from '../support/redis-server'
import { against, atMost, type Bench, quantile, type Report, stated } from './report'

const POWERTOOLS_RATIO_MAX = 1.3
const NODE_IDEMPOTENCY_RATIO_MAX = 2
const BYTES_RATIO_MAX = 1.1
const ROUND_TRIPS = 2
const OPERATIONS_DEFAULT = 4_000
const ROUNDS = 7
const IN_FLIGHT = [1, 32] as const
const TTL_MS = 3_600_000
const SCOPE = 'bench/POST /v1/payments'
const BODY = {
  id: 'pay_1',
  amount: 1050,
  currency: 'USD',
  status: 'succeeded',
  note: 'a body of a hundred bytes',
}
const FINGERPRINT = randomBytes(16)

type Side = { once: () => Promise<void>; close: () => Promise<void> }

/**
 * Acquire and complete one key with a body, against the real packages on the same server, in memory, each through its public
 * entry and node-redis. Sides alternate, so that what else the machine does falls on all. `--rows` = operations of one round.
 */
export const bench: Bench = async ({ rows, only }, report) => {
  const server = await startRedis()
  try {
    const sides: Record<string, Side> = {
      ours: await oursThroughNodeRedis(server),
      'ours, ioredis': await oursThroughIoredis(server),
      powertools: await powertools(server),
      'node-idempotency': await nodeIdempotency(server),
    }
    for (const inFlight of IN_FLIGHT) {
      const name = `acquire + complete, ${inFlight} in flight`
      if (only === undefined || only === name) await compare(sides, name, inFlight, rows, report)
    }
    if (only === undefined || only === 'round trips') await countRoundTrips(server, report)
    await Promise.all(Object.values(sides).map((side) => side.close()))
    if (only === undefined || only === 'bytes') await measureBytes(server, report)
  } finally {
    await server.close()
  }
}

async function compare(
  sides: Record<string, Side>,
  name: string,
  inFlight: number,
  rows: number | undefined,
  report: Report,
): Promise<void> {
  const operations = rows ?? OPERATIONS_DEFAULT
  const times = new Map<string, number[]>(Object.keys(sides).map((side) => [side, []]))
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [side, { once }] of Object.entries(sides)) {
      const time = await timed(once, inFlight, operations)
      // The first one warms up.
      if (round >= 0) times.get(side)?.push(time)
    }
  }
  const median = (side: string) => quantile(times.get(side) ?? [], 0.5)
  const ours = { value: median('ours'), unit: 'µs an operation' }
  report(
    against(
      `${name}: against Powertools`,
      { ...ours, baseline: median('powertools') },
      { ratioMax: POWERTOOLS_RATIO_MAX },
    ),
  )
  report(
    against(
      `${name}: against node-idempotency`,
      { ...ours, baseline: median('node-idempotency') },
      { ratioMax: NODE_IDEMPOTENCY_RATIO_MAX },
    ),
  )
  report(stated(`${name}: through ioredis`, median('ours, ioredis'), 'µs an operation'))
}

/** Elapsed µs an operation. */
async function timed(once: () => Promise<void>, inFlight: number, operations: number): Promise<number> {
  const each = Math.ceil(operations / inFlight)
  const started = performance.now()
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let n = 0; n < each; n += 1) await once()
    }),
  )
  return ((performance.now() - started) * 1000) / (each * inFlight)
}

async function openStore(client: RedisStoreOptions['client']): Promise<RedisStore> {
  const store = createRedisStore({ client })
  await store.registerTier('bench', TTL_MS)
  return store
}

const bytes = new TextEncoder().encode(JSON.stringify(BODY))

async function acquireAndComplete(store: RedisStore): Promise<void> {
  const request = { scope: SCOPE, key: randomUUID(), tier: 'bench', owner: 'bench-1' }
  const traceId = randomUUID().replaceAll('-', '')
  const acquired = await store.acquire({ ...request, fingerprint: FINGERPRINT, leaseMs: 30_000, traceId })
  if (acquired.kind !== 'acquired') throw new Error(acquired.kind)
  const response = {
    status: 201,
    headers: [['content-type', 'application/json']] as [string, string][],
    body: bytes,
  }
  if ((await store.complete({ ...request, fence: acquired.fence }, response)) === 'stale')
    throw new Error('stale')
}

async function oursThroughNodeRedis({ url }: RedisServer): Promise<Side> {
  const client = await createClient({ url }).connect()
  const store = await openStore(client)
  return {
    once: () => acquireAndComplete(store),
    async close() {
      store.close()
      client.destroy()
    },
  }
}

async function oursThroughIoredis({ url }: RedisServer): Promise<Side> {
  const client = new Redis(url)
  const store = await openStore(client)
  return {
    once: () => acquireAndComplete(store),
    async close() {
      store.close()
      client.disconnect()
    },
  }
}

async function powertools({ url }: RedisServer): Promise<Side> {
  const client = await createClient({ url }).connect()
  const handler = makeIdempotent(async (_event: { key: string }, _context: object) => BODY, {
    persistenceStore: new CachePersistenceLayer({ client: client as never }),
    config: new IdempotencyConfig({ eventKeyJmesPath: 'key', expiresAfterSeconds: TTL_MS / 1_000 }),
    keyPrefix: SCOPE,
  })
  // As in a lambda: without it, a key in progress would have no end.
  const context = { getRemainingTimeInMillis: () => 30_000 }
  return {
    async once() {
      await handler({ key: randomUUID() }, context)
    },
    async close() {
      client.destroy()
    },
  }
}

async function nodeIdempotency({ url }: RedisServer): Promise<Side> {
  const storage = new RedisStorageAdapter({ url })
  await storage.connect()
  const idempotency = new Idempotency(storage, { cacheTTLMS: TTL_MS })
  return {
    async once() {
      const headers = { 'idempotency-key': randomUUID() }
      const request = { headers, path: '/v1/payments', method: 'POST', body: { amount: 1050 } }
      if ((await idempotency.onRequest(request)) !== undefined) throw new Error('known')
      await idempotency.onResponse(request, { body: BODY, additional: { statusCode: 201 } })
    },
    close: () => storage.disconnect(),
  }
}

async function countRoundTrips({ url }: RedisServer, report: Report): Promise<void> {
  const client = await createClient({ url }).connect()
  let sent = 0
  const counted: Pick<typeof client, 'sendCommand'> = {
    sendCommand(...args) {
      sent += 1
      return client.sendCommand(...args)
    },
  }
  const store = await openStore(counted)
  await acquireAndComplete(store)
  const keys = 200
  // What is read in the background meanwhile is not an operation's.
  store.close()
  sent = 0
  for (let n = 0; n < keys; n += 1) await acquireAndComplete(store)
  report(atMost('round trips of acquire + complete', sent / keys, 'commands', ROUND_TRIPS))
  client.destroy()
}

/** Of a key that is done, against a plain SET of its facts as JSON: what the server has taken for it in all. */
async function measureBytes({ admin, url }: RedisServer, report: Report): Promise<void> {
  const keys = 20_000
  const used = async () => Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
  const client = await createClient({ url }).connect()
  const store = await openStore(client)
  const perKey = async (once: () => Promise<unknown>) => {
    await admin.flushall('SYNC')
    const before = await used()
    await timed(async () => void (await once()), 32, keys)
    return (await used()) - before
  }
  const ours = await perKey(() => acquireAndComplete(store))
  const plain = await perKey(() => {
    const now = Date.now()
    const facts = {
      ...{ state: 'C', fence: String(now * 1_000), attempts: 1, status: 201, tier: 'bench' },
      ...{ createdAt: now, expiresAt: now + TTL_MS, fingerprint: FINGERPRINT.toString('hex') },
      ...{
        traceId: randomBytes(16).toString('hex'),
        headers: [['content-type', 'application/json']],
        body: BODY,
      },
    }
    return admin.set(`idem:k:${SCOPE}:${randomUUID()}`, JSON.stringify(facts), 'PX', TTL_MS)
  })
  report(
    against(
      'bytes a finished key, against a plain SET of its facts',
      { value: ours / keys, baseline: plain / keys, unit: 'bytes' },
      { ratioMax: BYTES_RATIO_MAX },
    ),
  )
  store.close()
  client.destroy()
}
