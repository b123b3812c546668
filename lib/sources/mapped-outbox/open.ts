import { z } from 'zod'
import type { MessageVerb } from '@/lib/core/states'
import {
  type MessageReading,
  type MessageSource,
  onlyLookedAt,
  type SeenMessage,
  SourceUnavailableError,
} from '../contracts'
import { createBinder } from '../mapped/bind'
import { isNoValue } from '../mapped/read'
import { rememberTable } from '../mapped/resolve'
import { openSourcePool, storeClock } from '../postgres-pool'
import { capabilitiesOf } from './capabilities'
import { hasDead, type MappedOutboxConfig, namedColumns } from './config'
import { buildExpressions } from './expressions'
import { operate } from './operate'
import { toMessage } from './rows'
import { advise, sampleMapped } from './sample'

const cursorSchema = z.tuple([z.string().nullable(), z.string()])

/** Another library's table of messages, by a mapping. Read in read-only sessions; verbs go through a connection of their own. */
export function openMappedMessages<K extends MessageSource['kind']>(
  kind: K,
  config: MappedOutboxConfig,
  secret: { url: string },
  readOnly = false,
): MessageSource & { kind: K } {
  const pool = (applicationName: string, only: boolean, poolMax: number) =>
    openSourcePool({
      url: secret.url,
      statementTimeoutMs: config.statementTimeoutMs,
      applicationName,
      readOnly: only,
      poolMax,
    })
  const readerPool = pool('idemscope-messages', true, config.poolMax)
  const writerPool = pool('idemscope-operate', false, 1)
  const remembered = rememberTable(readerPool, config.relation, namedColumns(config))
  const [reader, writer] = [remembered.watch(readerPool), remembered.watch(writerPool)]

  async function readDead(cursor: string | null, limit: number) {
    const now = await storeClock(reader)
    const table = await remembered.resolve()
    if (!hasDead(config)) return { now, items: [], cursor: null }
    const { bind, values } = createBinder()
    const e = buildExpressions(config, table, bind)
    const [at, id] = cursor === null ? [null, null] : cursorSchema.parse(JSON.parse(cursor))
    const order = `coalesce(${e.settledAt()}, ${e.createdAt()}, '-infinity'::timestamptz)`
    const behind =
      id === null
        ? ''
        : `AND (${order}, ${e.idSql}) > (${bind(at, 'timestamptz')}, (${bind(id, 'text')})::${table.column(config.columns.id).type})`
    const rows = await reader
      .query(
        `SELECT ${e.select()}, ${order}::text AS position FROM ${table.from} t
         WHERE ${e.unsent()} AND ${e.dead()} ${behind} ORDER BY ${order}, ${e.idSql} LIMIT ${bind(limit + 1, 'bigint')}`,
        values,
      )
      .catch(advise)
    const last = rows.length > limit ? rows[limit - 1] : undefined
    return {
      now,
      items: rows.slice(0, limit).map((row) => toMessage(row, config)),
      cursor: last === undefined ? null : JSON.stringify([last.position, last.id]),
    }
  }

  async function readMessage(place: string): Promise<MessageReading> {
    const now = await storeClock(reader)
    const table = await remembered.resolve()
    for (const column of [config.columns.id, ...publishersColumn(config)]) {
      const { bind, values } = createBinder()
      const e = buildExpressions(config, table, bind)
      const [row] = await reader
        .query(
          `SELECT ${e.select()}, ${e.payload()} AS payload FROM ${table.from} t WHERE ${e.equals(column, place)} LIMIT 1`,
          values,
        )
        .catch((error: unknown) => {
          if (isNoValue(error)) return []
          throw error
        })
      if (row === undefined) continue
      const payload = z.instanceof(Uint8Array).nullable().parse(row.payload)
      return { now, message: { ...toMessage(row, config), payload } }
    }
    return { now, message: null }
  }

  async function change(verb: MessageVerb, seen: SeenMessage, actionId: string) {
    if (readOnly) throw onlyLookedAt()
    const table = await remembered.resolve()
    const { canRedrive, canDiscard, reasons } = capabilitiesOf(config, table)
    if (!(verb === 'redrive' ? canRedrive : canDiscard))
      throw new SourceUnavailableError(reasons?.[verb] ?? 'It is not offered here.', { refused: true })
    return operate({ pool: writer, config, table }, verb, seen, actionId)
  }

  return {
    kind,
    get capabilities() {
      return capabilitiesOf(config, remembered.current())
    },
    consumers: config.consumers,
    storeClock: () => storeClock(reader),
    sample: async () => sampleMapped({ pool: reader, config, table: await remembered.resolve() }),
    readDead,
    readMessage,
    redrive: (seen, { actionId }) => change('redrive', seen, actionId),
    discard: (seen, { actionId }) => change('discard', seen, actionId),
    async close() {
      await Promise.all([readerPool.close(), writerPool.close()])
    },
  }
}

/** Where the publisher's id is, if it is not what names the row. */
const publishersColumn = ({ messageId }: MappedOutboxConfig): string[] =>
  messageId && 'column' in messageId ? [messageId.column] : []
