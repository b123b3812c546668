import { type Clock, systemClock } from '@/lib/core/clock'
import { type IntentSource, SourceUnavailableError } from '../contracts'
import { openSourcePool, type SourcePool, storeClock } from '../postgres-pool'
import { capabilitiesOf } from './capabilities'
import { rowCollection } from './collect-rows'
import { type MappedConfig, mappedColumns } from './config'
import { end, release } from './operate'
import { type Mapped, readKey, readLeases } from './read'
import { readRecords } from './read-records'
import { rememberTable } from './resolve'
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
  const remembered = rememberTable(readerPool, config.relation, mappedColumns(config))
  const [reader, writer] = [remembered.watch(readerPool), remembered.watch(writerPool)]
  // The writer's role is the reader's: privileges are the same.
  const mapped = async (pool: SourcePool): Promise<Mapped> => ({
    pool,
    config,
    table: await remembered.resolve(),
  })
  const rows = rowCollection(config, () => mapped(writer))

  return {
    kind: 'intent',
    get capabilities() {
      return capabilitiesOf(config, remembered.current())
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
