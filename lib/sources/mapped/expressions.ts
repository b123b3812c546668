import type { Bind } from './bind'
import type { MappedConfig, ScopePart } from './config'
import type { Table } from './resolve'

/**
 * SQL fragments over one row `t`. Names come from the catalogue, values are bound where a fragment is asked for: ask
 * only for what the statement uses.
 */
export type Expressions = ReturnType<typeof buildExpressions>

export function buildExpressions(config: MappedConfig, table: Table, bind: Bind) {
  const { columns, scope } = config
  const at = (name: string): string => `t.${table.column(name).sql}`
  const stamp = (name: string): string => stampOf(at(name), table.column(name).type, config.epochUnit)
  const part = (each: ScopePart): string =>
    'column' in each ? `${at(each.column)}::text` : bind(each.literal, 'text')
  const orderColumn = config.order ?? columns.createdAt
  const createdAt = stamp(columns.createdAt)
  const holderSince = columns.holderSince === undefined ? createdAt : stamp(columns.holderSince)
  const expression = {
    createdAt,
    holderSince,
    heartbeatAt: columns.heartbeatAt === undefined ? holderSince : stamp(columns.heartbeatAt),
    /** Since when nobody can have sent the provider its key: the last of all stamps of its use. */
    lastUsedAt: lastUse(config, stamp),
    /** A condition on each stamp of its use but the first; one that is NULL was not set. Cheaper than the last of all. */
    usedUntil: (condition: (usedAt: string) => string): string[] =>
      laterStamps(config).map((name) =>
        table.column(name).notNull
          ? condition(stamp(name))
          : `(${at(name)} IS NULL OR ${condition(stamp(name))})`,
      ),
    leaseUntil: leaseExpression(config, stamp) ?? createdAt,
    expiresAt:
      'column' in config.expiry
        ? `coalesce(${stamp(config.expiry.column)}, 'infinity'::timestamptz)`
        : `${createdAt} + ${config.expiry.afterMs} * interval '1 millisecond'`,
    order: at(orderColumn),
    orderType: table.column(orderColumn).type,
    orderColumn,
    /** The walk goes by time, not by a number that a sequence draws. */
    orderIsTime:
      orderColumn === columns.createdAt || /^(timestamp|date)/.test(table.column(orderColumn).type),
    /** A time as the order column keeps it. */
    orderAt: (time: string) => keptAs(time, table.column(orderColumn).type, config.epochUnit),
    endpoint: () => `${part(scope.method)} || ' ' || ${part(scope.route)}`,
    scope: () => `${part(scope.caller)} || '/' || ${part(scope.method)} || ' ' || ${part(scope.route)}`,
    key: `${at(columns.key)}::text`,
    finished: () => finishedCondition(config, at, bind),
    unfinished: () => unfinishedCondition(config, table, at, bind),
    state: () => stateExpression(config, at, bind),
    /** Names the row of a scope and key through the columns as they are, so that their index serves. */
    identity: (name: string, key: string) => identityCondition(config, table, at, bind, name, key),
    rowVersion: table.versioned ? 't.xmin::text' : "''",
  }
  return { ...expression, select: () => selectList(config, table, expression, at, stamp) }
}

/** What a row is read with: names as rows.ts parses them. */
function selectList(
  config: MappedConfig,
  table: Table,
  e: Omit<Expressions, 'select'>,
  at: (name: string) => string,
  stamp: (name: string) => string,
): string {
  const { columns } = config
  const text = (name: string | undefined): string => (name === undefined ? 'NULL::text' : `${at(name)}::text`)
  return [
    `${e.key} AS key`,
    `${e.scope()} AS scope`,
    `${e.state()} AS state`,
    `${e.createdAt} AS created_at, (${e.createdAt})::text AS created_text`,
    `${e.leaseUntil} AS lease_until, (${e.leaseUntil})::text AS lease_text`,
    `coalesce(${e.heartbeatAt}, ${e.createdAt}) AS heartbeat_at, coalesce((${e.heartbeatAt})::text, '') AS heartbeat_text`,
    `(extract(epoch FROM coalesce(${e.holderSince}, ${e.createdAt})) * 1000000)::bigint::text AS fence`,
    `(${e.expiresAt})::text AS expires_text, ${e.expiresAt} <= clock_timestamp() AS expired`,
    `${e.leaseUntil} <= clock_timestamp() AS lease_passed`,
    `${columns.completedAt === undefined ? 'NULL::timestamptz' : stamp(columns.completedAt)} AS completed_at`,
    `${text(columns.owner)} AS owner, ${text(columns.attempts)} AS attempts, ${text(columns.step)} AS step`,
    `${text(columns.fingerprint)} AS fingerprint, ${text(columns.traceId)} AS trace_id`,
    `${text(columns.status)} AS status, ${text(columns.headers)} AS headers, ${bodyText(config, table, at)} AS body`,
    `${e.rowVersion} AS row_version, ${e.order}::text AS order_text`,
  ].join(', ')
}

function stateExpression(config: MappedConfig, at: (name: string) => string, bind: Bind): string {
  const { state, columns } = config
  // A status that is no number is told apart where the row is read.
  const status = columns.status === undefined ? '' : `${at(columns.status)}::text`
  const error =
    status === '' ? 'false' : `CASE WHEN ${status} ~ '^[0-9]{1,4}$' THEN ${status}::int >= 400 ELSE false END`
  const ended = `CASE WHEN ${error} THEN 'F' ELSE 'C' END`
  if (state.kind === 'finished') return ended
  const any = (name: string, values: readonly string[]): string =>
    `${at(name)}::text = ANY (${bind([...values], 'text[]')})`
  if (state.kind === 'markers') {
    const { finished, held } = state
    return `CASE WHEN ${any(finished.column, finished.values)} THEN ${ended}
      WHEN ${at(held)} IS NOT NULL THEN 'L' ELSE 'R' END`
  }
  const { column } = state
  return `CASE WHEN ${any(column, state.completed)} THEN ${ended} WHEN ${any(column, state.failed)} THEN 'F'
    WHEN ${any(column, state.leased)} THEN 'L' WHEN ${any(column, state.retryable)} THEN 'R'
    WHEN ${any(column, state.unknown)} THEN 'U' ELSE '?' END`
}

const endOf = (state: Exclude<MappedConfig['state'], { kind: 'finished' }>) =>
  state.kind === 'values'
    ? { column: state.column, values: [...state.completed, ...state.failed] }
    : { column: state.finished.column, values: state.finished.values }

function finishedCondition({ state }: MappedConfig, at: (name: string) => string, bind: Bind): string {
  if (state.kind === 'finished') return 'true'
  const { column, values } = endOf(state)
  return `${at(column)}::text = ANY (${bind(values, 'text[]')})`
}

/** In the form that a partial index over live keys is declared with, so that it is used. */
function unfinishedCondition(
  { state }: MappedConfig,
  table: Table,
  at: (name: string) => string,
  bind: Bind,
): string {
  if (state.kind === 'finished') return 'false'
  const { column, values } = endOf(state)
  const other = `${at(column)}::text <> ALL (${bind(values, 'text[]')})`
  return table.column(column).notNull ? other : `(${at(column)} IS NULL OR ${other})`
}

function identityCondition(
  config: MappedConfig,
  table: Table,
  at: (name: string) => string,
  bind: Bind,
  scope: string,
  key: string,
): string {
  const named = splitScope(scope)
  if (named === null) return 'false'
  const equals = (column: string, value: string): string =>
    `${at(column)} = (${bind(value, 'text')})::${table.column(column).type}`
  const conditions = [config.scope.caller, config.scope.method, config.scope.route].map((each, place) => {
    const value = named[place] ?? ''
    if ('column' in each) return equals(each.column, value)
    return each.literal === value ? 'true' : 'false'
  })
  return [equals(config.columns.key, key), ...conditions].join(' AND ')
}

function lastUse(config: MappedConfig, stamp: (name: string) => string): string {
  const named = [config.columns.createdAt, ...laterStamps(config)]
  return named.length === 1 ? stamp(config.columns.createdAt) : `greatest(${named.map(stamp).join(', ')})`
}

const laterStamps = ({ columns }: MappedConfig): string[] =>
  [columns.holderSince, columns.heartbeatAt, columns.completedAt].filter((name) => name !== undefined)

/** NULL where nobody holds it: then its last holder's start, for want of anything later. */
function leaseExpression(config: MappedConfig, stamp: (name: string) => string): string | null {
  const { lease, columns } = config
  if (lease === undefined) return null
  const until =
    'until' in lease
      ? stamp(lease.until)
      : `${stamp(lease.since)} + ${lease.lastsMs} * interval '1 millisecond'`
  return `coalesce(${until}, ${stamp(columns.holderSince ?? columns.createdAt)}, ${stamp(columns.createdAt)})`
}

/** Times kept as numbers are read as what they mean. */
export function stampOf(column: string, type: string, unit: 's' | 'ms'): string {
  if (!isNumber(type)) return `${column}::timestamptz`
  return unit === 's' ? `to_timestamp(${column})` : `to_timestamp(${column} / 1000.0)`
}

const keptAs = (time: string, type: string, unit: 's' | 'ms'): string =>
  isNumber(type)
    ? `floor(extract(epoch FROM ${time}) * ${unit === 's' ? 1 : 1000})::${type}`
    : `(${time})::${type}`

export const isNumber = (type: string): boolean =>
  /^(smallint|integer|bigint|numeric|double precision)$/.test(type)

function bodyText(config: MappedConfig, table: Table, at: (name: string) => string): string {
  const { body } = config.columns
  if (body === undefined) return 'NULL::text'
  return table.column(body).type === 'bytea' ? `encode(${at(body)}, 'escape')` : `${at(body)}::text`
}

/** `{caller}/{METHOD} {route}` → its parts; null = no scope of ours. */
export function splitScope(scope: string): [string, string, string] | null {
  const match = /^([^/]*)\/(\S+) (.*)$/s.exec(scope)
  const [, caller, method, route] = match ?? []
  return caller === undefined || method === undefined || route === undefined ? null : [caller, method, route]
}
