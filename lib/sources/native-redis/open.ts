import { type Clock, isWithin, systemClock } from '@/lib/core/clock'
import { LAYOUT_VERSION, META, SHARDS } from '@/sdk/stores/redis/layout'
import { type IntentSource, onlyLookedAt, SourceUnavailableError, type StoreCapabilities } from '../contracts'
import type { RedisSecret } from '../redis/config'
import { openConnection, type RedisConnection } from '../redis/connection'
import { readServer, readTime } from '../redis/server'
import { openChanges } from '../redis/walk/changes'
import { readRecords } from '../redis/walk/read-records'
import { lookAtServer, type Pause, sleep, type Walker } from '../redis/walk/reader'
import { capabilitiesOf, readDurability } from './capabilities'
import type { NativeRedisConfig } from './config'
import { openHolds } from './holds'
import { readLeases } from './live'
import { end, release } from './operate'
import { readKey } from './read-key'
import { namedOf, readTiers, sampleStore, understandRecords } from './records'

const PREFIX = 'idem:'
/** How durable the server is changes with its configuration, and with a failover. */
const CHECK_EVERY_MS = 60_000

/**
 * The SDK's own store on Redis. Live keys are read by its index and acted on by scripts beside the SDK's, on the primary;
 * finished ones are walked to once, through a replica where there is one, and followed from then on.
 */
export function openNativeRedisSource(
  config: NativeRedisConfig,
  secret: RedisSecret,
  rules: { clock?: Clock | undefined; readOnly?: boolean | undefined; pause?: Pause } = {},
): IntentSource {
  const { clock = systemClock, readOnly = false, pause = sleep } = rules
  const { commandTimeoutMs } = config
  const readUrl = secret.replicaUrl ?? secret.url
  const primary = openConnection(secret.url, { name: 'idemscope-operate', commandTimeoutMs })
  const connection = openConnection(readUrl, { name: 'idemscope-intent', commandTimeoutMs })
  const isOurs = (name: string) => namedOf(name) !== null
  const changes = openChanges(readUrl, PREFIX, { commandTimeoutMs, isOurs })
  const walker: Walker = {
    ...{ config, pattern: { prefix: PREFIX }, clock, pause, changes, use: connection.use },
    understand: (redisKeys) =>
      connection.use((client) => understandRecords(client, redisKeys.filter(isOurs), config)),
    look: () => lookAtServer(connection, secret.replicaUrl === undefined ? undefined : primary),
  }
  let capabilities: StoreCapabilities = capabilitiesOf(config, null)
  let checkedMs: number | null = null

  /** That it is a store of this layout, and how durable it is. */
  async function check(): Promise<void> {
    const nowMs = clock.now().getTime()
    if (checkedMs !== null && isWithin(CHECK_EVERY_MS, nowMs, checkedMs)) return
    await requireLayout(primary)
    capabilities = capabilitiesOf(config, await readDurability(primary))
    checkedMs = nowMs
  }
  function mayWrite(): void {
    if (readOnly) throw onlyLookedAt()
  }

  return {
    kind: 'intent',
    get capabilities() {
      return capabilities
    },
    responses: config.responses,
    storeClock: async () => new Date(await primary.use(readTime)),
    async readLeases({ limit }) {
      await check()
      return readLeases(primary, limit)
    },
    readRecords: (cursor, limit) => readRecords(walker, cursor, limit),
    readKey: (scope, key) => readKey(primary, config, () => primary.use(readTiers), { scope, key }),
    async release(seen, options) {
      mayWrite()
      return release(primary, seen, options)
    },
    async complete(seen, options) {
      mayWrite()
      return end(primary, seen, options, 'completed')
    },
    async fail(seen, options) {
      mayWrite()
      return end(primary, seen, options, 'failed_final')
    },
    sample: () => connection.use((client) => sampleStore(client, walker)),
    listPartitions: async () => [],
    collectPartition: async () => ({ kind: 'gone' }),
    holds: openHolds(primary),
    async close() {
      changes.close()
      connection.close()
      primary.close()
    },
  }
}

/** One of another version would be misread. A store that no service has started yet says none. */
async function requireLayout(primary: RedisConnection): Promise<void> {
  const [version, shards] = await primary.use(async (client) => {
    await readServer(client)
    return client.hmget(META.layout, 'version', 'shards')
  })
  if (version === null || (version === LAYOUT_VERSION && shards === String(SHARDS))) return
  throw new SourceUnavailableError(
    `This Redis holds layout ${version} of ${shards} shards, and this console reads ${LAYOUT_VERSION} of ${SHARDS}`,
    { fault: 'schema_changed', refused: true },
  )
}
