import type { Bind } from '../mapped/bind'
import { stampOf } from '../mapped/expressions'
import type { Table } from '../mapped/resolve'
import { hasDead, type MappedOutboxConfig } from './config'

/** Payloads and headers beyond this are not read. */
const PAYLOAD_BYTES_MAX = 1_048_576
const HEADERS_BYTES_MAX = 262_144

/** SQL fragments over one row `t`. Names come from the catalogue, values are bound where a fragment is asked for. */
export function buildExpressions(config: MappedOutboxConfig, table: Table, bind: Bind) {
  const { columns, topic, messageId, headers } = config
  const at = (name: string): string => `t.${table.column(name).sql}`
  const text = (name: string | undefined): string => (name === undefined ? 'NULL::text' : `${at(name)}::text`)
  const stamp = (name: string | undefined): string => {
    if (name === undefined) return 'NULL::timestamptz'
    const { type } = table.column(name)
    if (type === 'timestamp without time zone')
      return `(${at(name)} AT TIME ZONE ${bind(config.timeZone, 'text')})`
    return stampOf(at(name), type, config.epochUnit)
  }
  const bytes = (name: string | undefined): string => {
    if (name === undefined) return 'NULL::bytea'
    return table.column(name).type === 'bytea' ? at(name) : `convert_to(${at(name)}::text, 'UTF8')`
  }
  const idColumn = messageId && 'column' in messageId ? messageId.column : columns.id
  const version = table.versioned ? 't.xmin::text' : "''"
  const settledAt = columns.settledAt ?? (config.state.kind === 'marker' ? config.state.failedAt : undefined)
  return {
    id: `${at(columns.id)}::text`,
    idSql: at(columns.id),
    version,
    topic: () =>
      'literal' in topic
        ? bind(topic.literal, 'text')
        : `${bind(topic.prefix, 'text')} || coalesce(${at(topic.column)}::text, '')`,
    createdAt: () => stamp(columns.createdAt),
    settledAt: () => stamp(settledAt),
    state: () => stateExpression(config, at, bind),
    unsent: () => unsentCondition(config, at, bind),
    dead: () => (hasDead(config) ? `${stateExpression(config, at, bind)} = 'dead'` : 'false'),
    equals: (name: string, value: string) =>
      `${at(name)} = (${bind(value, 'text')})::${table.column(name).type}`,
    /** Names as rows.ts parses them. */
    select: () =>
      [
        `${at(columns.id)}::text AS id, ${version} AS version`,
        `${messageId === null ? 'NULL::text' : text(idColumn)} AS message_id`,
        `${'literal' in topic ? bind(topic.literal, 'text') : `${bind(topic.prefix, 'text')} || coalesce(${at(topic.column)}::text, '')`} AS topic`,
        `${text(columns.key)} AS key, ${text(columns.type)} AS type, ${text(columns.group)} AS "group"`,
        `${stateExpression(config, at, bind)} AS state`,
        `${stamp(columns.createdAt)} AS created_at, ${stamp(settledAt)} AS settled_at`,
        `${text(columns.attempts)} AS attempts, ${text(columns.error)} AS error, ${text(columns.actionId)} AS action_id`,
        headers === undefined
          ? 'NULL::text AS headers'
          : `CASE WHEN octet_length(${at(headers.column)}::text) <= ${HEADERS_BYTES_MAX} THEN ${at(headers.column)}::text END AS headers`,
        `coalesce(octet_length(${bytes(columns.payload)}), 0) AS size`,
      ].join(', '),
    payload: () =>
      `CASE WHEN octet_length(${bytes(columns.payload)}) <= ${PAYLOAD_BYTES_MAX} THEN ${bytes(columns.payload)} END`,
  }
}

function unsentCondition(config: MappedOutboxConfig, at: (name: string) => string, bind: Bind): string {
  const { state } = config
  if (state.kind === 'deleted') return 'true'
  if (state.kind === 'unmarked') return 'false'
  if (state.kind === 'marker') return `${at(state.sentAt)} IS NULL`
  return `${at(state.column)}::text <> ALL (${bind([...state.sent, ...state.discarded], 'text[]')})`
}

function stateExpression(config: MappedOutboxConfig, at: (name: string) => string, bind: Bind): string {
  const { state, columns, deadFromAttempts } = config
  const tried = columns.attempts === undefined ? 'false' : `${at(columns.attempts)} > 0`
  const worn =
    columns.attempts === undefined || deadFromAttempts === undefined
      ? 'false'
      : `${at(columns.attempts)} >= ${bind(deadFromAttempts, 'bigint')}`
  const open = `CASE WHEN ${worn} THEN 'dead' WHEN ${tried} THEN 'retrying' ELSE 'pending' END`
  if (state.kind === 'unmarked') return "'unknown'"
  if (state.kind === 'deleted') return open
  if (state.kind === 'marker') {
    const failed = state.failedAt === undefined ? 'false' : `${at(state.failedAt)} IS NOT NULL`
    return `CASE WHEN ${at(state.sentAt)} IS NOT NULL THEN 'sent' WHEN ${failed} THEN 'dead' ELSE ${open} END`
  }
  const is = (values: readonly string[]) => `${at(state.column)}::text = ANY (${bind(values, 'text[]')})`
  return `CASE WHEN ${is(state.sent)} THEN 'sent' WHEN ${is(state.dead)} THEN 'dead'
    WHEN ${is(state.discarded)} THEN 'discarded'
    WHEN ${is(state.retrying)} THEN CASE WHEN ${worn} THEN 'dead' ELSE 'retrying' END
    WHEN ${is(state.pending)} THEN 'pending' ELSE 'unknown' END`
}
