import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { createRedisStore, type RedisStore, type RedisStoreOptions } from '@/sdk/stores/redis'
import { placeOf } from '@/sdk/stores/redis/layout'
import { type RedisServer, startRedis, startRedisCluster } from '../../support/redis-server'
import { startBreakingProxy } from '../breaking-proxy'
import { type Harness, OPERATOR, type Target, TIERS } from './harness'

export type ClientKind = 'ioredis' | 'node-redis'
export type Client = { client: RedisStoreOptions['client']; close(): Promise<void> }
type Node = { host: string; port: number }

/** With what a service gives it: nothing. */
export async function connectSingle(kind: ClientKind, port: number): Promise<Client> {
  if (kind === 'ioredis') {
    const client = new Redis({ host: '127.0.0.1', port })
    client.on('error', () => {})
    return { client, close: async () => client.disconnect() }
  }
  const client = createClient({ url: `redis://127.0.0.1:${port}` })
  client.on('error', () => {})
  await client.connect()
  return { client, close: async () => client.destroy() }
}

/** `through` = where the nodes are reached, by what they call themselves. */
async function connectCluster(kind: ClientKind, through: Map<string, Node>): Promise<Client> {
  const nodes = [...through.values()]
  if (kind === 'ioredis') {
    const client = new Cluster(nodes, { natMap: Object.fromEntries(through) })
    client.on('error', () => {})
    return { client, close: async () => client.disconnect() }
  }
  const client = createCluster({
    rootNodes: nodes.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })),
    nodeAddressMap: Object.fromEntries(through),
  })
  client.on('error', () => {})
  await client.connect()
  return { client, close: async () => client.destroy() }
}

export const openRedisHarness = (kind: ClientKind) => async () => {
  const server = await startRedis()
  return openHarness(
    [server],
    (ports) => connectSingle(kind, ports[0] ?? 0),
    () => server.close(),
  )
}

export const openRedisClusterHarness = (kind: ClientKind) => async () => {
  const cluster = await startRedisCluster()
  const names = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`)
  const connect = (ports: number[]) =>
    connectCluster(
      kind,
      new Map(names.map((name, at) => [name, { host: '127.0.0.1', port: ports[at] ?? 0 }])),
    )
  return openHarness(cluster.nodes, connect, cluster.close)
}

async function openHarness(
  servers: RedisServer[],
  connect: (ports: number[]) => Promise<Client>,
  closeServers: () => Promise<void>,
): Promise<Harness> {
  const closers: (() => Promise<void>)[] = []
  const proxies = await Promise.all(servers.map(({ url }) => startBreakingProxy(url)))
  async function open(ports: number[], options: Partial<RedisStoreOptions> = {}): Promise<RedisStore> {
    const { client, close } = await connect(ports)
    const store = createRedisStore({ client, operationTimeoutMs: 30_000, ...options })
    closers.push(async () => {
      store.close()
      await close()
    })
    return store
  }
  const ports = servers.map(({ port }) => port)
  const store = await open(ports)
  for (const [name, ttlMs] of Object.entries(TIERS)) await store.registerTier(name, ttlMs)
  const losing = await open(proxies.map(({ url }) => Number(new URL(url).port)))
  const admin = (await connect(ports).then((made) => {
    closers.push(made.close)
    return made.client
  })) as never

  const onTarget = async (lua: string, { scope, key }: Target, ...args: string[]) => {
    const place = placeOf(scope, key)
    return evalOn(admin, lua, [place.data, place.live, place.fence], [place.member, ...args])
  }
  const disarm = () => {
    for (const proxy of proxies) proxy.disarm()
  }

  return {
    store,
    // Its clients' wall clocks are never asked.
    openStore: ({ clock } = {}) => open(ports, clock === undefined ? {} : { clock }),
    async ageLease(target, byMs) {
      await onTarget(AGE_LEASE, target, String(byMs * 1_000))
    },
    expireRecord: async (target) => (await onTarget(EXPIRE_RECORD, target)) === 1,
    release: async (target) => (await onTarget(RELEASE, target, OPERATOR)) === 1,
    placeHold: async ({ kind, ...hold }) => {
      const reason = { reason: 'Customers are charged twice', by: 'test', lastsMs: 60_000 }
      return (await store.placeHold({ kind, ...reason, ...hold } as Parameters<RedisStore['placeHold']>[0]))
        .said
    },
    liftHold: (id) => store.liftHold(id, 'The provider is mended', 'test'),
    async clearHolds() {
      await evalOn(admin, `redis.call('DEL', KEYS[1]) return 1`, ['idem:{meta}:holds'], [])
    },
    losing: {
      store: losing,
      loseNextReply() {
        // Each verb names the key's data, and nothing else does.
        for (const proxy of proxies) proxy.breakAt('after', ':k:', disarm)
      },
      lost: () => proxies.reduce((sum, proxy) => sum + proxy.broken(), 0),
    },
    async close() {
      await Promise.all(closers.map((close) => close()))
      await Promise.all(proxies.map((proxy) => proxy.close()))
      await closeServers()
    },
  }
}

async function evalOn(
  client: Redis | Cluster | ReturnType<typeof createClient> | ReturnType<typeof createCluster>,
  lua: string,
  keys: string[],
  args: string[],
): Promise<unknown> {
  if (client instanceof Redis || client instanceof Cluster)
    return client.eval(lua, keys.length, ...keys, ...args)
  return client.eval(lua, { keys, arguments: args })
}

const AGE_LEASE = `
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local u = string.format('%.0f', tonumber(redis.call('HGET', KEYS[1], 'u')) - tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'u', u)
redis.call('ZADD', KEYS[2], u, ARGV[1])
return 1`

const EXPIRE_RECORD = `
if redis.call('TYPE', KEYS[1]).ok ~= 'string' or redis.call('GETRANGE', KEYS[1], 0, 3) == '1 G ' then return 0 end
return redis.call('DEL', KEYS[1])`

const RELEASE = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local s, f, u = unpack(redis.call('HMGET', KEYS[1], 's', 'f', 'u'))
if s ~= 'U' and tonumber(u) >= now then return 0 end
local fence = string.format('%.0f', math.max(now, tonumber(redis.call('GET', KEYS[3])) + 1, f + 1))
local text = string.format('%.0f', now)
redis.call('SET', KEYS[3], fence)
redis.call('HSET', KEYS[1], 's', 'R', 'f', fence, 'u', text, 'o', ARGV[2])
redis.call('ZADD', KEYS[2], text, ARGV[1])
return 1`
