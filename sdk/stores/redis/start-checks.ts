import type { Clock } from '../../clock'
import { StoreUnavailableError } from '../../errors'
import type { RedisPort } from './client'
import { LAYOUT_VERSION, META, SHARDS } from './layout'
import { defineScript, type Run, textOf } from './script'
import { type RedisServerFacts, readServerFacts } from './server-facts'

/** What is known of the servers, and what of it is not as it should be. */
export type RedisHealth = {
  /** `not_verified`: the servers do not tell; started on the word of `assumeDurable`. */
  durability: 'aof always' | 'aof everysec' | 'aof no' | 'aof' | 'memory' | 'not_verified' | 'unchecked'
  /** Nothing new is executed while there is one. */
  faults: string[]
  warnings: string[]
  /** Servers that took the place of others since the start: failovers and restarts. */
  serverChanges: number
  servers: RedisServerFacts[]
}

export type StartChecks = {
  /** Asks the servers now. */
  check(): Promise<RedisHealth>
  health(): RedisHealth
  /** Resolves once the servers were asked; throws StoreUnavailableError while one has a fault. */
  demandFit(): Promise<void>
  close(): void
}

const WATCH_EVERY_MS = 5_000

/** The number of shards is for ever: another one would look for keys where they are not. */
const CLAIM_LAYOUT = defineScript(`
redis.call('HSETNX', KEYS[1], 'version', ARGV[1])
redis.call('HSETNX', KEYS[1], 'shards', ARGV[2])
return redis.call('HMGET', KEYS[1], 'version', 'shards')
`)

/** Asks at the start and again every 5 s, so that the one which a failover made primary is judged as well. */
export function createStartChecks(
  port: RedisPort,
  run: Run,
  clock: Clock,
  assumeDurable: boolean,
): StartChecks {
  let health: RedisHealth = {
    durability: 'unchecked',
    faults: [],
    warnings: [],
    serverChanges: 0,
    servers: [],
  }
  let first: Promise<RedisHealth> | null = null
  let cancelNext = () => {}
  let closed = false

  async function check(): Promise<RedisHealth> {
    const [version, shards] = (await run(CLAIM_LAYOUT, [META.layout], [LAYOUT_VERSION, String(SHARDS)])).map(
      textOf,
    )
    const servers = await readServerFacts(port)
    const known = new Set(health.servers.map(({ runId }) => runId))
    const changed = known.size === 0 ? [] : (servers ?? []).filter(({ runId }) => !known.has(runId))
    health = {
      ...judge(servers, assumeDurable),
      serverChanges: health.serverChanges + changed.length,
      servers: servers ?? [],
    }
    if (version !== LAYOUT_VERSION || shards !== String(SHARDS))
      health.faults.push(
        `this Redis holds layout ${version} of ${shards} shards, and this SDK writes ${LAYOUT_VERSION} of ${SHARDS}: use another Redis, or the SDK's version that wrote it`,
      )
    return health
  }

  function watch(): void {
    cancelNext()
    if (closed) return
    // A server that cannot be asked is noticed by the requests; what was known stays.
    const tick = () =>
      void check()
        .catch(() => {})
        .finally(watch)
    cancelNext = clock.after(WATCH_EVERY_MS, tick, 'background')
  }

  return {
    check: () => check().finally(watch),
    health: () => health,
    async demandFit() {
      if (health.durability === 'unchecked') {
        first ??= check().finally(() => {
          first = null
          watch()
        })
        await first
      }
      if (health.faults.length > 0)
        throw new StoreUnavailableError(`the idempotency store is not fit: ${health.faults.join('; ')}`)
    },
    close() {
      closed = true
      cancelNext()
    },
  }
}

const MAJOR_MIN = 7

/** What servers say of themselves, against what the store promises. */
export function judge(
  servers: readonly RedisServerFacts[] | null,
  assumeDurable: boolean,
): Pick<RedisHealth, 'durability' | 'faults' | 'warnings'> {
  if (servers === null) {
    const what = 'eviction, persistence and replicas of this Redis cannot be verified (INFO is refused)'
    return assumeDurable
      ? { durability: 'not_verified', faults: [], warnings: [what] }
      : {
          durability: 'not_verified',
          faults: [
            `${what}: allow INFO, or say assumeDurable: true once you know that they are as they should be`,
          ],
          warnings: [],
        }
  }
  const faults = new Set<string>()
  const warnings = new Set<string>()
  for (const server of servers) {
    if (Number.parseInt(server.version, 10) < MAJOR_MIN)
      faults.add(`Redis ${server.version} is too old: 7.0 or later, or Valkey`)
    if (server.evictionPolicy.startsWith('allkeys-'))
      faults.add(
        `maxmemory-policy is ${server.evictionPolicy}, which evicts keys in flight: set noeviction (or a volatile policy)`,
      )
    if (server.role !== 'master') faults.add(`the server is a ${server.role}: give a client of the primary`)
    if (server.evictionPolicy.startsWith('volatile-'))
      warnings.add(
        `maxmemory-policy is ${server.evictionPolicy}: where memory runs short, finished keys are forgotten and retries execute again`,
      )
    if (server.persistence === 'off') warnings.add('there is no append-only file: a restart forgets keys')
    if (server.persistence === 'aof no')
      warnings.add('appendfsync is no: a crash of the machine forgets some keys')
    if (server.persistence === 'aof') warnings.add('appendfsync cannot be verified (CONFIG is refused)')
    if (server.persistenceFails) warnings.add('the last write of the append-only file failed')
    if (server.replicas === 0) warnings.add('there is no replica')
    else if (!server.replicasDemanded)
      warnings.add('min-replicas-to-write is 0: what a failover loses is not bounded')
  }
  return { durability: weakest(servers), faults: [...faults], warnings: [...warnings] }
}

const WEAKEST_FIRST = ['off', 'aof no', 'aof', 'aof everysec', 'aof always'] as const

function weakest(servers: readonly RedisServerFacts[]): RedisHealth['durability'] {
  const found = WEAKEST_FIRST.find((one) => servers.some(({ persistence }) => persistence === one))
  return found === undefined || found === 'off' ? 'memory' : found
}
