import { z } from 'zod'
import type { OperateOptions, SeenLease, StoredResponse, StoreOutcome } from '../contracts'
import { type Bind, createBinder } from './bind'
import type { Assignments, MappedConfig } from './config'
import { buildExpressions, isNumber } from './expressions'
import { type Mapped, readKey } from './read'
import type { Table } from './resolve'

const STATE_CHAR = { leased: 'L', retryable: 'R', unknown: 'U' } as const
const nowRow = z.object({ now: z.date() })

/** Compares everything observed, in one statement, and writes what the mapping says. Nothing is ever deleted. */
async function change(
  mapped: Mapped,
  seen: SeenLease,
  options: OperateOptions,
  set: readonly string[],
  binder: ReturnType<typeof createBinder>,
): Promise<StoreOutcome> {
  const { pool, config, table } = mapped
  const { bind, values } = binder
  const e = buildExpressions(config, table, bind)
  const ms = (value: number): string => `${bind(value, 'bigint')} * interval '1 millisecond'`
  const passed = `${e.leaseUntil} + ${ms(options.graceMs)} <= clock_timestamp()`
  const dead =
    options.aheadMs === undefined
      ? passed
      : `(${passed} OR greatest(${e.createdAt}, ${e.heartbeatAt}) - ${ms(options.aheadMs)} > clock_timestamp())`
  const [row] = await pool.query(
    `UPDATE ${table.from} t SET ${set.join(', ')}
     WHERE ${e.identity(seen.scope, seen.key)} AND ${e.unfinished()}
       AND ${e.rowVersion} = ${bind(seen.rowVersion ?? '', 'text')}
       AND (${e.createdAt})::text = ${bind(seen.createdAt, 'text')}
       AND ${e.state()} = ${bind(STATE_CHAR[seen.state], 'text')}
       AND (${e.leaseUntil})::text = ${bind(seen.leaseUntil, 'text')}
       AND coalesce((${e.heartbeatAt})::text, (${e.createdAt})::text) = ${bind(seen.heartbeatAt, 'text')}
       AND (${e.state()} <> 'L' OR ${dead})
     RETURNING clock_timestamp() AS now`,
    values,
  )
  return row === undefined ? refusal(mapped, seen, options) : { kind: 'done', now: nowRow.parse(row).now }
}

export async function release(
  mapped: Mapped,
  seen: SeenLease,
  options: OperateOptions,
): Promise<StoreOutcome> {
  const { config, table } = mapped
  const binder = createBinder()
  return change(mapped, seen, options, assign(config, table, binder.bind, config.release?.set ?? {}), binder)
}

export async function end(
  mapped: Mapped,
  seen: SeenLease,
  options: OperateOptions & { response: StoredResponse },
  verb: 'complete' | 'fail',
): Promise<StoreOutcome> {
  const { config, table } = mapped
  const binder = createBinder()
  const set = [
    ...assign(config, table, binder.bind, config[verb]?.set ?? {}),
    ...responseColumns(config, table, binder.bind, options.response),
  ]
  return change(mapped, seen, options, set, binder)
}

export function assign(
  config: Pick<MappedConfig, 'epochUnit'>,
  table: Table,
  bind: Bind,
  set: Assignments,
): string[] {
  return Object.entries(set).map(([name, value]) => {
    const { sql, type } = table.column(name)
    if (value === null) return `${sql} = NULL`
    if (typeof value === 'string') return `${sql} = (${bind(value, 'text')})::${type}`
    return `${sql} = ${storeNow(config, type)}`
  })
}

/** The store's clock, in the form that the column keeps times in. */
function storeNow(config: Pick<MappedConfig, 'epochUnit'>, type: string): string {
  if (!isNumber(type)) return 'clock_timestamp()'
  return `(extract(epoch FROM clock_timestamp()) * ${config.epochUnit === 's' ? 1 : 1000})::${type}`
}

function responseColumns(config: MappedConfig, table: Table, bind: Bind, response: StoredResponse): string[] {
  const { status, headers, body } = config.columns
  const write = (name: string | undefined, value: string): string[] => {
    if (name === undefined) return []
    const { sql, type } = table.column(name)
    const bound = bind(value, 'text')
    return [`${sql} = ${type === 'bytea' ? `convert_to(${bound}, 'UTF8')` : `(${bound})::${type}`}`]
  }
  return [
    ...write(status, String(response.status)),
    ...write(headers, JSON.stringify(response.headers)),
    ...write(body, response.body),
  ]
}

/** Nothing was changed: says why, from the key as it is now; the most telling difference first. */
async function refusal(mapped: Mapped, seen: SeenLease, options: OperateOptions): Promise<StoreOutcome> {
  const { now, lease } = await readKey(mapped, seen.scope, seen.key)
  const refused = (reason: Extract<StoreOutcome, { kind: 'refused' }>['reason']): StoreOutcome => ({
    kind: 'refused',
    reason,
    now,
    current: lease,
  })
  if (lease === null || lease.seen.createdAt !== seen.createdAt) return refused('gone')
  if (lease.seen.fence !== seen.fence) return refused('fence_changed')
  const renewed = lease.seen.rowVersion !== seen.rowVersion
  const holds = lease.leaseUntil.getTime() + options.graceMs > now.getTime()
  if (lease.state === 'leased' && holds && (renewed || options.aheadMs === undefined))
    return refused('holder_alive')
  return refused('state_changed')
}
