import { Redis } from 'ioredis'
import { type AdapterName, openAdapter } from '@/lib/sources/adapters'
import type { IntentSource, LeaseRow } from '@/lib/sources/contracts'
import { createHybridStore } from '@/sdk/stores/hybrid'
import { createRedisStore } from '@/sdk/stores/redis'
import { placeOf } from '@/sdk/stores/redis/layout'
import type { AcquireRequest, Holder, Store } from '@/sdk/stores/store'
import { startBreakingProxy } from '../../sdk/breaking-proxy'
import type { Item, Line } from '../../sdk/dynamodb/emulator'
import { ageLease, createDynamoFixture } from '../../sdk/dynamodb/fixture'
import { acquireRequest, createStoreFixture, holderOf, okResponse } from '../../sdk/support'
import { startRedis } from '../../support/redis-server'

export const SCOPE = '7/POST /rides'
const RESPONSES = { 'POST /rides': { status: 201, headers: {}, body: '{}' } }

/** A store that the SDK writes, and the console's way to it. */
export type OwnStore = {
  store: Store
  /** How a console connects it. */
  source: { adapter: AdapterName; config: Record<string, unknown>; secret: Record<string, unknown> }
  open(over?: Record<string, unknown>, secret?: Record<string, unknown>): IntentSource
  /** Its lease passed a minute ago: the holder is dead, on the store's clock. */
  kill(key: string): Promise<void>
  /** The key as it is stored, to the last byte. */
  raw(key: string): Promise<unknown>
  /** The console's next change breaks off before it is made, or its answer is lost; until it is mended. */
  breakNextChange(how: 'before' | 'after'): Promise<() => void>
  close(): Promise<void>
}

export async function ownRedis(): Promise<OwnStore & { admin: Redis; url: string }> {
  const server = await startRedis()
  const proxy = await startBreakingProxy(server.url)
  const client = new Redis(server.url)
  const store = createRedisStore({ client, operationTimeoutMs: 20_000 })
  await store.registerTier('default', 3_600_000)
  const { admin } = server
  const source = {
    adapter: 'native-redis' as const,
    config: { responses: RESPONSES },
    secret: { url: proxy.url },
  }
  return {
    store,
    source,
    admin,
    url: server.url,
    open: openWith(source),
    async kill(key) {
      const { data, live, member } = placeOf(SCOPE, key)
      const until = Number(await admin.hget(data, 'u')) - 120_000_000
      await admin.hset(data, 'u', String(until))
      await admin.zadd(live, until, member)
    },
    async raw(key) {
      const { data, live, member } = placeOf(SCOPE, key)
      const kind = await admin.type(data)
      const value =
        kind === 'hash' ? await admin.hgetall(data) : kind === 'string' ? await admin.get(data) : null
      return { kind, value, score: await admin.zscore(live, member), ttl: kind === 'string' }
    },
    async breakNextChange(how) {
      proxy.breakAt(how, '\r\nEVAL\r\n', proxy.disarm)
      return proxy.disarm
    },
    async close() {
      store.close()
      client.disconnect()
      await proxy.close()
      await server.close()
    },
  }
}

export async function ownDynamo(): Promise<
  OwnStore &
    Pick<Line, 'seen' | 'breakNext'> & {
      /** Changes the item of a key, as somebody else does. */
      change(key: string, expression: string, values: Item): Promise<void>
    }
> {
  const fixture = await createDynamoFixture({ largeResponses: true })
  const { store, emulator, tableName } = fixture
  const line = await emulator.openLine()
  const source = {
    adapter: 'native-dynamodb' as const,
    config: { table: tableName, responses: RESPONSES, scan: { everyMs: 10_000 } },
    secret: { region: 'local', endpoint: line.endpoint, accessKeyId: 'test', secretAccessKey: 'test' },
  }
  return {
    store,
    source,
    open: openWith(source),
    seen: line.seen,
    breakNext: line.breakNext,
    change: (key, expression, values) => fixture.change({ scope: SCOPE, key }, expression, values),
    kill: (key) => ageLease(fixture, { scope: SCOPE, key }, 120_000),
    raw: (key) => fixture.item({ scope: SCOPE, key }),
    async breakNextChange(how) {
      line.breakNext(how === 'after' ? 'lose' : 'fail', ({ operation }) => operation === 'UpdateItem')
      return () => undefined
    },
    close: fixture.close,
  }
}

/** `forget`: PostgreSQL loses the record of a key. */
export async function ownHybrid(): Promise<OwnStore & { cache: Redis; forget(key: string): Promise<void> }> {
  const database = await createStoreFixture()
  const server = await startRedis()
  const client = new Redis(server.url)
  const proxy = await startBreakingProxy(database.url)
  await client.ping()
  const store = createHybridStore({
    store: database.store,
    cache: client,
    ask: 'always',
    cacheTimeoutMs: 5_000,
  })
  const source = {
    adapter: 'native-hybrid' as const,
    config: { responses: RESPONSES },
    secret: { url: proxy.url, cacheUrl: server.url },
  }
  return {
    store,
    source,
    open: openWith(source),
    cache: server.admin,
    async forget(key) {
      for (const table of ['idem_body', 'idem_record'])
        await database.query(`DELETE FROM ${table} WHERE key = idem_key_bytes($1)`, [key])
    },
    async kill(key) {
      await database.query(
        `UPDATE idem_lease SET lease_until = clock_timestamp() - interval '60.000007 s' WHERE key = idem_key_bytes($1)`,
        [key],
      )
    },
    async raw(key) {
      const row = (table: string) =>
        database.query(`SELECT to_jsonb(t) AS row FROM ${table} t WHERE key = idem_key_bytes($1)`, [key])
      return [await row('idem_lease'), await row('idem_step'), await row('idem_record')]
    },
    async breakNextChange(how) {
      proxy.breakAt(how, 'l.created_at::text = $3', proxy.disarm)
      return proxy.disarm
    },
    async close() {
      client.disconnect()
      await proxy.close()
      await server.close()
      await database.close()
    },
  }
}

export const OWN_STORES = [
  { name: 'redis', create: ownRedis },
  { name: 'dynamodb', create: ownDynamo },
  { name: 'hybrid', create: ownHybrid },
]

export const openWith =
  ({ adapter, config, secret }: OwnStore['source'], rules: { readOnly?: boolean } = {}) =>
  (over: Record<string, unknown> = {}, otherSecret: Record<string, unknown> = {}): IntentSource =>
    openAdapter(
      adapter,
      { ...config, ...over },
      { ...secret, ...otherSecret },
      { demo: false, ...rules },
    ) as IntentSource

/** What a service does with its store, and what the console reads of it. */
export function actorsOn({ store, kill }: Pick<OwnStore, 'store' | 'kill'>, source: () => IntentSource) {
  const requestOf = (key: string): AcquireRequest =>
    acquireRequest(key, { scope: SCOPE, leaseMs: 60_000, owner: 'worker-1', traceId: 'ab'.repeat(16) })
  const hold = async (key: string): Promise<Holder> =>
    holderOf(requestOf(key), await store.acquire(requestOf(key)))
  const begin = (holder: Holder, step = 'charge') =>
    store.beginEffect(holder, {
      step,
      name: 'stripe.charge',
      kind: 'http',
      providerKey: `pk-${holder.key}-${step}`,
      leaseMs: 60_000,
    })
  const leaseOf = async (key: string): Promise<LeaseRow> => {
    const { lease } = await source().readKey(SCOPE, key)
    if (lease === null) throw new Error(`no lease of ${key}`)
    return lease
  }
  return {
    requestOf,
    hold,
    begin,
    leaseOf,
    finish: async (holder: Holder, body = '{"id":"ride_1"}') => store.complete(holder, okResponse(body)),
    /** Its process is gone while it had the key. */
    async dead(key: string): Promise<{ holder: Holder; lease: LeaseRow }> {
      const holder = await hold(key)
      await kill(key)
      return { holder, lease: await leaseOf(key) }
    },
    /** Every way in which a holder may still speak: true = it was let through. */
    async comesBack(holder: Holder): Promise<string[]> {
      const said: [string, boolean][] = [
        ['heartbeat', await store.heartbeat(holder, 1_000)],
        ['begin', (await begin(holder, 'late')).kind !== 'stale'],
        ['checkpoint', await store.checkpoint(holder, 'late', {})],
        ['complete', (await store.complete(holder, okResponse('{"id":"zombie"}'))) !== 'stale'],
        ['abandon', (await store.abandon(holder)) !== 'stale'],
        ['give back', (await store.giveBack(holder)) !== 'stale'],
      ]
      return said.flatMap(([what, through]) => (through ? [what] : []))
    },
  }
}

/** Every record, to the end of a pass. */
export async function allRecords(source: IntentSource, from: string | null = null, limit = 2) {
  const items = []
  let cursor = from
  for (let page = 0; page < 1_000; page++) {
    const answer = await source.readRecords(cursor, limit)
    items.push(...answer.items)
    cursor = answer.cursor
    if (!answer.more) break
  }
  return { items, cursor }
}
