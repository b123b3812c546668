import { type Clock, systemClock } from '@/lib/core/clock'
import { type IntentSource, SourceUnavailableError } from '../contracts'
import { openSourcePool, type SourcePool } from '../postgres-pool'
import { capabilitiesOf } from './capabilities'
import { rowCollection } from './collect-rows'
import type { MappedConfig } from './config'
import { end, release } from './operate'
import { type Mapped, readKey, readLeases, storeClock } from './read'
import { readRecords } from './read-records'
import { resolveTable, type Table } from './resolve'
import { sample } from './sample'

/** Another library's table, by a mapping. Read in read-only sessions; verbs go through one connection of their own. */
export function openMappedSource(
  config: MappedConfig,
  secret: { url: string },
  clock: Clock = systemClock,
): IntentSource {
  const common = { url: secret.url, statementTimeoutMs: config.statementTimeoutMs }
  const readerPool = openSourcePool({
    ...common,
    applicationName: 'idemscope-intent',
    readOnly: true,
    poolMax: config.poolMax,
  })
  const writerPool = openSourcePool({
    ...common,
    applicationName: 'idemscope-operate',
    readOnly: false,
    poolMax: 1,
  })
  let table: Table | null = null
  let resolving: Promise<Table> | undefined
  const forget = (error: unknown): never => {
    // Looked up again by the next call, which then says what is missing.
    if (error instanceof SourceUnavailableError && error.fault === 'schema_changed') resolving = undefined
    throw error
  }
  const forgetting = (pool: SourcePool): SourcePool => ({
    ...pool,
    query: (sql, values) => pool.query(sql, values).catch(forget),
    execute: (sql, values) => pool.execute(sql, values).catch(forget),
  })
  const [reader, writer] = [forgetting(readerPool), forgetting(writerPool)]

  async function mapped(pool: SourcePool): Promise<Mapped> {
    // The writer's role is the reader's: privileges are the same.
    resolving ??= resolveTable(readerPool, config)
    try {
      table = await resolving
    } catch (error) {
      resolving = undefined
      throw error
    }
    return { pool, config, table }
  }
  const rows = rowCollection(config, () => mapped(writer))

  return {
    kind: 'intent',
    get capabilities() {
      return capabilitiesOf(config, table)
    },
    responses: config.responses,
    storeClock: () => storeClock(reader),
    readLeases: async ({ limit }) => readLeases(await mapped(reader), limit),
    readRecords: async (cursor, limit) => readRecords(await mapped(reader), clock, cursor, limit),
    readKey: async (scope, key) => readKey(await mapped(reader), scope, key),
    release: async (seen, options) => release(await offered('release'), seen, options),
    complete: async (seen, options) => end(await offered('complete'), seen, options, 'complete'),
    fail: async (seen, options) => end(await offered('fail'), seen, options, 'fail'),
    sample: async () => sample(await mapped(reader)),
    listPartitions: async () => [],
    collectPartition: async () => ({ kind: 'gone' }),
    rowCollection: rows,
    async close() {
      await Promise.all([readerPool.close(), writerPool.close()])
    },
  }

  async function offered(verb: 'release' | 'complete' | 'fail'): Promise<Mapped> {
    const found = await mapped(writer)
    const reason = capabilitiesOf(config, found.table).reasons?.[verb]
    if (reason !== undefined) throw new SourceUnavailableError(reason, { fault: 'permission', refused: true })
    return found
  }
}
