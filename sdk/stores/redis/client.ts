/** `Redis` or `Cluster` of ioredis, whatever its options. */
export type IoredisLike = {
  callBuffer(command: string, ...args: (string | Buffer)[]): Promise<unknown>
  nodes?(role: 'master'): { callBuffer(command: string, ...args: string[]): Promise<unknown> }[]
}

type NodeRedisOptions = { typeMapping: { 36: BufferConstructor; 61: BufferConstructor }; timeout?: number }
type NodeRedisArgs = (string | Buffer)[]

/** `createClient()` or `createClientPool()` of node-redis. */
export type NodeRedisClientLike = {
  readonly isReady?: boolean
  sendCommand(args: NodeRedisArgs, options?: NodeRedisOptions): Promise<unknown>
}

/** `createCluster()` of node-redis. */
export type NodeRedisClusterLike = {
  readonly masters: readonly NodeRedisMaster[]
  nodeClient(node: never): Promise<NodeRedisClientLike> | NodeRedisClientLike
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: NodeRedisArgs,
    options?: NodeRedisOptions,
  ): Promise<unknown>
}
type NodeRedisMaster = object

/** `createSentinel()` of node-redis. */
export type NodeRedisSentinelLike = {
  getMasterNode(): unknown
  sendCommand(
    isReadonly: boolean | undefined,
    args: NodeRedisArgs,
    options?: NodeRedisOptions,
  ): Promise<unknown>
}

/** A client of ioredis (6, 5) or node-redis (6, 5): single, Sentinel or Cluster, of Redis from 7 or Valkey. */
export type RedisClient = IoredisLike | NodeRedisClientLike | NodeRedisClusterLike | NodeRedisSentinelLike

export type Arg = string | Buffer

/** What the store needs of a client. Bulk strings come as buffers; always asked of primaries. */
export type RedisPort = {
  /** To the primary of the key. */
  send(key: string, command: Command): Promise<unknown>
  /** To each primary. */
  sendToAll(command: Command<string>): Promise<unknown[]>
}

/** Its name and its arguments. */
type Command<A = Arg> = [name: string, ...args: A[]]

/** RESP's `$` and `=` (a verbatim string). */
const AS_BUFFERS: NodeRedisOptions = { typeMapping: { 36: Buffer, 61: Buffer } }

/**
 * A timeout of node-redis only gives up what was not sent yet. Connected, it sends at once, and the signal that it makes for
 * each command would be a tenth of a call's cost.
 */
const AT_ONCE: NodeRedisOptions = { ...AS_BUFFERS, timeout: 0 }

/** Null = it is no client that the store knows. */
export function openPort(client: RedisClient): RedisPort | null {
  if (typeof client !== 'object' || client === null) return null
  if ('callBuffer' in client) return ioredisPort(client)
  if (!('sendCommand' in client)) return null
  if ('nodeClient' in client) return nodeRedisClusterPort(client)
  if ('getMasterNode' in client) return single((args) => client.sendCommand(false, args, AS_BUFFERS))
  return single((args) => client.sendCommand(args, client.isReady === true ? AT_ONCE : AS_BUFFERS))
}

const single = (send: (command: Command) => Promise<unknown>): RedisPort => ({
  send: (_key, command) => send(command),
  sendToAll: async (command) => [await send(command)],
})

const ioredisPort = (client: IoredisLike): RedisPort => ({
  send: (_key, command) => client.callBuffer(...command),
  sendToAll: (command) =>
    Promise.all((client.nodes?.('master') ?? [client]).map((node) => node.callBuffer(...command))),
})

const nodeRedisClusterPort = (cluster: NodeRedisClusterLike): RedisPort => ({
  send: (key, command) => cluster.sendCommand(key, false, command, AS_BUFFERS),
  sendToAll: (command) =>
    Promise.all(
      cluster.masters.map(async (master) => {
        const node = await cluster.nodeClient(master as never)
        return node.sendCommand(command, AS_BUFFERS)
      }),
    ),
})
