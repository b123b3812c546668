import { type Clock, systemClock } from '@/lib/core/clock'
import { type IntentSource, SourceUnavailableError, type StoreSample } from '../contracts'
import { capabilitiesOf } from './capabilities'
import type { RedisConfig, RedisSecret } from './config'
import { openConnection } from './connection'
import { complete, release } from './operate'
import { readTime } from './server'
import { compilePattern } from './values/key-pattern'
import { toReading, understandValue } from './values/rows'
import { openChanges } from './walk/changes'
import { openLive } from './walk/live'
import { readRecords } from './walk/read-records'
import { readOne } from './walk/read-values'
import { createReader, type Pause, sleep } from './walk/reader'
import { sampleKeys } from './walk/sample'

/**
 * Keys that another library keeps in Redis. Walks go through a replica where there is one; what is acted on is read and
 * changed on the primary.
 */
export function openRedisSource(
  config: RedisConfig,
  secret: RedisSecret,
  rules: { clock?: Clock | undefined; readOnly?: boolean | undefined; pause?: Pause } = {},
): IntentSource {
  const { clock = systemClock, readOnly = false, pause = sleep } = rules
  const { commandTimeoutMs } = config
  const pattern = compilePattern(config)
  const primary = openConnection(secret.url, { name: 'idemscope-operate', commandTimeoutMs })
  const readUrl = secret.replicaUrl ?? secret.url
  const connection = openConnection(readUrl, { name: 'idemscope-intent', commandTimeoutMs })
  const changes = openChanges(readUrl, pattern.prefix, { commandTimeoutMs })
  const reader = createReader({
    ...{ config, pattern, clock, pause, changes, connection },
    ...(secret.replicaUrl === undefined ? {} : { primary }),
  })
  const live = openLive(reader)
  const capabilities = capabilitiesOf(config, readOnly)

  /** The key as it is on the primary, with its value. */
  async function readWhole(redisKey: string) {
    const { nowMs, found } = await primary.use((client) => readOne(client, redisKey, config))
    const now = new Date(nowMs)
    if (found === null) return { reading: { now, lease: null, record: null }, stored: null }
    return { reading: toReading(now, understandValue(found, config, pattern)), stored: found }
  }
  const offered = (verb: 'release' | 'complete', can: boolean): void => {
    if (can) return
    const reason = capabilities.reasons?.[verb] ?? 'It is not offered.'
    throw new SourceUnavailableError(reason, { fault: readOnly ? 'read_only' : 'permission', refused: true })
  }
  const notOffered = async (): Promise<never> => {
    throw new SourceUnavailableError(capabilities.reasons?.fail ?? '', { fault: 'permission', refused: true })
  }
  const gone = async () => {
    const now = new Date(await primary.use(readTime))
    return { kind: 'refused', reason: 'gone', now, current: null } as const
  }

  return {
    kind: 'intent',
    capabilities,
    responses: config.responses,
    storeClock: async () => new Date(await primary.use(readTime)),
    readLeases: ({ limit }) => live.read(limit),
    readRecords: (cursor, limit) => readRecords(reader, cursor, limit),
    async readKey(scope, key) {
      const redisKey = pattern.compose({ scope, key })
      if (redisKey !== null) return (await readWhole(redisKey)).reading
      return { now: new Date(await primary.use(readTime)), lease: null, record: null }
    },
    async release(seen, options) {
      offered('release', capabilities.canRelease)
      const redisKey = pattern.compose(seen)
      if (redisKey === null) return gone()
      return primary.use((client) => release(client, redisKey, seen, options, () => readWhole(redisKey)))
    },
    async complete(seen, options) {
      offered('complete', capabilities.canComplete)
      const redisKey = pattern.compose(seen)
      if (redisKey === null) return gone()
      return primary.use((client) =>
        complete(client, redisKey, seen, options, config, () => readWhole(redisKey)),
      )
    },
    fail: notOffered,
    sample: (): Promise<StoreSample[]> => connection.use((client) => sampleKeys(client, reader)),
    listPartitions: async () => [],
    collectPartition: async () => ({ kind: 'gone' }),
    async close() {
      live.close()
      changes.close()
      connection.close()
      primary.close()
    },
  }
}
