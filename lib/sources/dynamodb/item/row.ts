import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import {
  type KeyReading,
  type LeaseRow,
  type LeaseState,
  type RecordRow,
  type StoredResponse,
  type UnreadableRow,
  understand,
} from '../../contracts'
import { responseFields } from '../../response-fields'
import type { Item } from '../client/value'
import { comparedAttributes, type DynamoConfig, type Mapping, type Stamp } from '../config'
import type { Identity } from './identity'
import { toResponse } from './response'

export type Layout = { config: DynamoConfig; mapping: Mapping; identity: Identity }

/** An item that was understood. */
export type Row = {
  scope: string
  key: string
  state: LeaseState | 'completed' | 'failed_final'
  createdAt: Date
  /** null = the library set none. */
  leaseUntil: Date | null
  expiresAt: Date
  fingerprint: string | null
  response: StoredResponse | null
  /** Every compared attribute as the store has it, in one text. */
  compared: string
}

const LAST_DAY = Date.parse('9999-12-31T00:00:00Z')

/** An item, or what is left of one that cannot be understood. */
export function toRow(layout: Layout, item: Item): Row | UnreadableRow {
  const named = layout.identity.nameOf(item)
  const place = JSON.stringify([item[layout.mapping.partition], item[layout.mapping.sort ?? '']])
  return understand(
    () => {
      if (named === null) throw new RangeError('its key is no text')
      return { ...named, ...readItem(layout.mapping, item) }
    },
    { place, scope: named?.scope ?? null, key: named?.key ?? null, createdAtText: null },
  )
}

function readItem(mapping: Mapping, item: Item): Omit<Row, 'scope' | 'key'> {
  const expiresMs = stampMs(item, mapping.expiry)
  if (expiresMs === null) throw new RangeError(`its ${mapping.expiry.attribute} is missing`)
  const leaseMs = mapping.lease === undefined ? null : stampMs(item, mapping.lease)
  const createdMs =
    mapping.createdAt === undefined ? expiresMs - mapping.ttlMs : stampMs(item, mapping.createdAt)
  if (createdMs === null || createdMs < 0) throw new RangeError('it does not say when it was made')
  return {
    state: stateOf(mapping, item, leaseMs),
    createdAt: new Date(createdMs),
    leaseUntil: leaseMs === null ? null : new Date(leaseMs),
    expiresAt: new Date(expiresMs),
    fingerprint: mapping.fingerprint === undefined ? null : (item[mapping.fingerprint]?.S ?? null),
    response: toResponse(mapping, item),
    compared: JSON.stringify(
      comparedAttributes(mapping).map((attribute) => [attribute, item[attribute] ?? null]),
    ),
  }
}

/** The status first: a finished item keeps the stamp of its lease. */
function stateOf({ state }: Mapping, item: Item, leaseMs: number | null): Row['state'] {
  if (state.kind === 'finished') return 'completed'
  const value = item[state.attribute]?.S
  if (value === undefined) throw new RangeError(`its ${state.attribute} is missing`)
  if (state.completed.includes(value)) return 'completed'
  if (state.failed.includes(value)) return 'failed_final'
  if (state.retryable.includes(value)) return 'retryable'
  if (!state.leased.includes(value)) return 'unknown'
  return leaseMs === 0 ? 'retryable' : 'leased'
}

function stampMs(item: Item, { attribute, unit }: Stamp): number | null {
  const value: AttributeValue | undefined = item[attribute]
  if (value === undefined || value.NULL === true) return null
  const ms =
    unit === 'iso'
      ? Date.parse(value.S ?? '')
      : Math.trunc(Number(value.N ?? '?') * (unit === 's' ? 1_000 : 1))
  if (!(ms >= 0 && ms <= LAST_DAY)) throw new RangeError(`its ${attribute} is no time in ${unit}`)
  return ms
}

export const isLive = (row: Row): boolean => row.state !== 'completed' && row.state !== 'failed_final'

/**
 * The stamps were written by clients, and nothing counts up from one holder to the next but the time of the acquire: it
 * stands in for a fence.
 */
export function toLease({ mapping }: Pick<Layout, 'mapping'>, row: Row, now: Date): LeaseRow {
  const state: LeaseState = row.state === 'leased' || row.state === 'retryable' ? row.state : 'unknown'
  const leaseless = state === 'leased' && row.leaseUntil === null
  const leaseUntil = state === 'retryable' ? row.createdAt : (row.leaseUntil ?? row.expiresAt)
  const createdAt = row.createdAt.toISOString()
  const fence = BigInt(row.createdAt.getTime())
  return {
    scope: row.scope,
    key: row.key,
    state,
    expired: !leaseless && leaseUntil <= now,
    fence,
    owner: '',
    attempts: 1,
    tier: null,
    step: null,
    traceId: null,
    fingerprint: row.fingerprint,
    createdAt: row.createdAt,
    leaseUntil,
    heartbeatAt: row.createdAt,
    overdue: row.expiresAt <= now,
    ...(leaseless ? { leaseless } : { clientClock: true }),
    ...(mapping.hashedKey ? { hashedKey: true } : {}),
    effects: [],
    seen: {
      scope: row.scope,
      key: row.key,
      createdAt,
      fence: fence.toString(),
      state,
      leaseUntil: leaseUntil.toISOString(),
      heartbeatAt: createdAt,
      rowVersion: row.compared,
    },
    version: row.compared,
  }
}

export function toRecord({ config, mapping }: Layout, row: Row): RecordRow {
  const named = responseFields(row.response?.body ?? null)
  return {
    scope: row.scope,
    key: row.key,
    state: row.state === 'failed_final' ? 'failed_final' : 'completed',
    fence: BigInt(row.createdAt.getTime()),
    attempts: 1,
    tier: null,
    status: row.response === null || row.response.status === 0 ? null : row.response.status,
    traceId: null,
    fingerprint: row.fingerprint,
    createdAt: row.createdAt,
    createdAtText: row.createdAt.toISOString(),
    expiresAt: row.expiresAt,
    completedAt: new Date(row.expiresAt.getTime() - mapping.ttlMs),
    effects: [],
    names: config.idFields.flatMap((field) => named(field) ?? []),
    reference: config.referenceField === null ? null : named(config.referenceField),
  }
}

export function toReading(layout: Layout, row: Row | null, now: Date): KeyReading {
  if (row === null) return { now, lease: null, record: null }
  if (isLive(row)) return { now, lease: toLease(layout, row, now), record: null }
  const response = row.response ?? { status: 0, headers: {}, body: '' }
  // Deletion by TTL lags by days: whether it has expired is told by its stamp alone.
  return { now, lease: null, record: { ...toRecord(layout, row), expired: row.expiresAt <= now, response } }
}
