import {
  type KeyReading,
  type LeaseRow,
  type RecordRow,
  UnreadableKeyError,
  type UnreadableRow,
} from '../../contracts'
import { responseFields } from '../../response-fields'
import type { RedisConfig } from '../config'
import { type StoredValue, stateOfHead } from '../walk/read-values'
import type { KeyPattern, Named } from './key-pattern'
import { digestOf, NotUnderstoodError, type ReadValue, readValue } from './read-value'

type Live = Extract<ReadValue, { state: 'leased' | 'open' }>
type Ended = Extract<ReadValue, { state: 'completed' | 'failed_final' }>

/** What a key of the store is: live, ended, ours and not understood, or something else altogether. */
export type Understood =
  | { kind: 'live'; lease: LeaseRow }
  | { kind: 'ended'; record: RecordRow; response: Ended['response']; expiresMs: number }
  | { kind: 'unreadable'; row: UnreadableRow }
  | { kind: 'other' }

export function understandValue(stored: StoredValue, config: RedisConfig, pattern: KeyPattern): Understood {
  const named = pattern.parse(stored.redisKey)
  if (named === null || isLock(stored.redisKey, config)) return { kind: 'other' }
  try {
    const read = stored.cut ? readCut(stored, config) : readValue(stored.value, config)
    if (stored.expiresMs < 0)
      throw new NotUnderstoodError('it never expires, so nothing tells when it was written')
    return read.state === 'leased' || read.state === 'open'
      ? { kind: 'live', lease: toLease(named, stored, read, config) }
      : {
          kind: 'ended',
          record: toRecord(named, stored, read, config),
          response: read.response,
          expiresMs: stored.expiresMs,
        }
  } catch (error) {
    if (!(error instanceof NotUnderstoodError)) throw error
    // Among keys of others, what does not look like a record is none.
    if (pattern.prefix === '') return { kind: 'other' }
    const { scope, key } = named
    const row = { place: stored.redisKey, scope, key, createdAtText: null, reason: error.message }
    return { kind: 'unreadable', row }
  }
}

/** Of a value that was not read to its end, nothing is known but that it has ended. */
function readCut(stored: StoredValue, config: RedisConfig): Ended {
  if (stateOfHead(stored, config) !== 'ended') throw new NotUnderstoodError('its value is longer than 4 MiB')
  const response = { status: 0, headers: {}, body: '' }
  return { state: 'completed', status: null, fingerprint: null, response }
}

/** Beside each key that Powertools took over lies a lock of 10 s: no record. */
export const isLock = (redisKey: string, { library }: RedisConfig): boolean =>
  library === 'powertools' && redisKey.endsWith(':lock')

/** Every write sets the time to live anew, so the time of the last one follows from the expiry. */
const writtenAt = ({ expiresMs }: StoredValue, { ttlMs }: RedisConfig): Date => new Date(expiresMs - ttlMs)

function toLease({ scope, key }: Named, stored: StoredValue, read: Live, config: RedisConfig): LeaseRow {
  const createdAt = writtenAt(stored, config)
  const untilMs =
    read.state === 'open'
      ? createdAt.getTime()
      : (read.leaseUntilMs ??
        (config.requestMs === undefined ? null : createdAt.getTime() + config.requestMs))
  // Without a lease nothing ever passes: it is held until it expires.
  const leaseUntil = new Date(untilMs ?? stored.expiresMs)
  const state = read.state === 'open' ? 'retryable' : 'leased'
  const digest = digestOf(stored.value)
  const fence = String(stored.expiresMs)
  return {
    scope,
    key,
    state,
    expired: state === 'leased' && untilMs !== null && untilMs <= stored.nowMs,
    fence: BigInt(fence),
    owner: '',
    attempts: 1,
    tier: null,
    step: null,
    traceId: null,
    fingerprint: read.fingerprint,
    createdAt,
    leaseUntil,
    heartbeatAt: createdAt,
    overdue: false,
    ...(untilMs === null ? { leaseless: true } : {}),
    // The library stamps it by the clock of whoever holds it.
    ...(read.state === 'leased' && read.leaseUntilMs !== null ? { clientClock: true } : {}),
    ...(config.library === 'powertools' ? { hashedKey: true } : {}),
    effects: [],
    seen: {
      scope,
      key,
      createdAt: createdAt.toISOString(),
      fence,
      state,
      leaseUntil: leaseUntil.toISOString(),
      heartbeatAt: createdAt.toISOString(),
      rowVersion: digest,
    },
    version: [digest, fence, state, leaseUntil.toISOString()].join('|'),
  }
}

function toRecord({ scope, key }: Named, stored: StoredValue, read: Ended, config: RedisConfig): RecordRow {
  const createdAt = writtenAt(stored, config)
  const named = responseFields(read.response.body)
  return {
    scope,
    key,
    state: read.state,
    fence: BigInt(stored.expiresMs),
    attempts: 1,
    tier: null,
    status: read.status,
    traceId: null,
    fingerprint: read.fingerprint,
    createdAt,
    createdAtText: createdAt.toISOString(),
    expiresAt: new Date(stored.expiresMs),
    completedAt: createdAt,
    effects: [],
    names: config.idFields.flatMap((field) => named(field) ?? []),
    reference: config.referenceField === null ? null : named(config.referenceField),
  }
}

/** One key that was asked for. Throws `UnreadableKeyError` where it is there and cannot be understood. */
export function toReading(now: Date, understood: Understood): KeyReading {
  switch (understood.kind) {
    case 'live':
      return { now, lease: understood.lease, record: null }
    case 'ended': {
      const { record, response, expiresMs } = understood
      return { now, lease: null, record: { ...record, response, expired: expiresMs <= now.getTime() } }
    }
    case 'unreadable':
      throw new UnreadableKeyError(understood.row, now)
    case 'other':
      return { now, lease: null, record: null }
    default:
      return understood satisfies never
  }
}
