import { createHash } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import { type KeyItem, readKeyItem, type StepItem } from '@/sdk/stores/dynamodb/item'
import { CLOCK_MARGIN_MS, KEY_ITEM } from '@/sdk/stores/dynamodb/layout'
import { STATES, STEP_STATES } from '@/sdk/stores/state-letters'
import {
  type LeaseRow,
  type RecordRow,
  type SeenLease,
  type StoredEffect,
  type UnreadableRow,
  understand,
} from '../contracts'
import type { Item } from '../dynamodb/client/value'
import { jsonText } from '../dynamodb/client/value'
import { responseFields } from '../response-fields'
import type { NativeDynamoConfig } from './config'
import { readPartition } from './partition'
import type { Tiers } from './store'

/** An item of a key. */
export type OwnRow = { scope: string; key: string; pk: string; item: KeyItem; stepsText: string }
type LiveState = 'L' | 'R' | 'U'
type EndState = 'C' | 'F'

/** Null = it is no item of a key: a part of a body, a tier, a hold. */
export function toRow(raw: Item): OwnRow | UnreadableRow | null {
  const pk = raw.pk?.S ?? ''
  const named = raw.sk?.S === KEY_ITEM ? readPartition(pk) : null
  if (named === null) return null
  const created = Number(raw.c?.N ?? Number.NaN)
  const createdAtText = Math.abs(created) <= DATE_MS_MAX ? new Date(created).toISOString() : null
  return understand(
    () => ({ ...named, pk, item: readItem(raw), stepsText: jsonText(raw.steps ?? { M: {} }) }),
    {
      ...{ place: pk, ...named, createdAtText },
    },
  )
}

const DATE_MS_MAX = 8.64e15

/** What a row says; where that cannot be understood, the row is set apart. */
export const readAs = <T extends object>(row: OwnRow, read: (row: OwnRow) => T): T | UnreadableRow =>
  understand(() => read(row), {
    ...{ place: row.pk, scope: row.scope, key: row.key },
    createdAtText: dateOf(row.item.createdMs).toISOString(),
  })

function readItem(raw: Item): KeyItem {
  try {
    const item = readKeyItem(raw)
    if (!['L', 'R', 'U', 'C', 'F', 'G'].includes(item.state))
      throw new RangeError(`its state is ${item.state}`)
    if (item.fence === 0n || item.createdMs === 0)
      throw new RangeError('it has no fence, or does not say when it was made')
    dateOf(item.createdMs)
    for (const [name, { state }] of item.steps)
      if (!Object.hasOwn(STEP_STATES, state))
        throw new RangeError(`the state of its step ${name} is ${state}`)
    return item
  } catch (cause) {
    // What the SDK cannot read is set apart, as any other item.
    throw new RangeError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function dateOf(ms: number): Date {
  if (!(Math.abs(ms) <= DATE_MS_MAX)) throw new RangeError(`${ms} ms is no time`)
  return new Date(ms)
}

export const isLive = ({ item: { state } }: OwnRow): boolean =>
  state === 'L' || state === 'R' || state === 'U'
export const isDone = ({ item: { state } }: OwnRow): boolean => state === 'C' || state === 'F'

export function toLease({ scope, key, item, stepsText }: OwnRow, now: Date, tiers: Tiers): LeaseRow {
  const state = STATES[item.state as LiveState]
  // Until then nobody takes it over: clocks may be so far apart.
  const leaseUntil = dateOf(item.leaseUntilMs + CLOCK_MARGIN_MS)
  const createdAt = dateOf(item.createdMs)
  const heartbeatAt = dateOf(item.heartbeatMs)
  const ttlMs = tiers.get(item.tier)
  const rowVersion = `${item.fence}:${item.version}`
  const seen: SeenLease = {
    scope,
    key,
    createdAt: createdAt.toISOString(),
    fence: item.fence.toString(),
    state,
    leaseUntil: leaseUntil.toISOString(),
    heartbeatAt: heartbeatAt.toISOString(),
    rowVersion,
    steps: createHash('sha1').update(stepsText).digest('hex'),
  }
  return {
    scope,
    key,
    state,
    expired: leaseUntil <= now,
    fence: item.fence,
    owner: item.owner,
    ...(item.nonce === null ? {} : { nonce: item.nonce }),
    attempts: item.attempts,
    tier: item.tier,
    step: item.recoveryPoint,
    traceId: item.traceId,
    fingerprint: Buffer.from(item.fingerprint).toString('hex'),
    createdAt,
    leaseUntil,
    heartbeatAt,
    overdue: ttlMs !== undefined && item.createdMs + ttlMs <= now.getTime(),
    // A step that failed after an attempt whose end nobody knows may have happened all the same.
    effects: effectsOf(item, (step) => (step.state === 'F' && step.inDoubt ? 'U' : step.state)),
    seen,
    version: [rowVersion, state, seen.createdAt, seen.leaseUntil, seen.heartbeatAt, seen.steps].join('|'),
  }
}

/** A body longer than this is not searched for names. */
const NAMING_BODY_BYTES_MAX = 16_384

export function toRecord({ scope, key, item }: OwnRow, config: NativeDynamoConfig, tiers: Tiers): RecordRow {
  if (item.expiresMs === 0 || !(item.status >= 100 && item.status <= 999))
    throw new RangeError('it has no status, or does not say when it expires')
  const named = responseFields(shortBody(item))
  const createdAt = dateOf(item.createdMs)
  const ttlMs = tiers.get(item.tier)
  return {
    scope,
    key,
    state: STATES[item.state as EndState],
    fence: item.fence,
    attempts: item.attempts,
    tier: item.tier,
    status: item.status,
    traceId: item.traceId,
    fingerprint: Buffer.from(item.fingerprint).toString('hex'),
    createdAt,
    createdAtText: createdAt.toISOString(),
    expiresAt: dateOf(item.expiresMs),
    completedAt: ttlMs === undefined ? createdAt : dateOf(item.expiresMs - ttlMs),
    effects: effectsOf(item, ({ state }) => state),
    names: config.idFields.flatMap((field) => named(field) ?? []),
    reference: config.referenceField === null ? null : named(config.referenceField),
  }
}

function shortBody({ body: { bytes, rawBytes, parts } }: KeyItem): string | null {
  if (parts !== null || (rawBytes ?? bytes.byteLength) > NAMING_BODY_BYTES_MAX) return null
  if (rawBytes === null) return Buffer.from(bytes).toString('utf8')
  try {
    return inflateRawSync(bytes, { maxOutputLength: rawBytes }).toString('utf8')
  } catch (cause) {
    throw new RangeError('its body is not what was compressed', { cause })
  }
}

const microsAsDate = (micros: bigint): Date => dateOf(Number(micros / 1_000n))

const effectsOf = ({ steps }: KeyItem, stateOf: (step: StepItem) => StepItem['state']): StoredEffect[] =>
  [...steps]
    .filter(([, { kind }]) => kind !== 'checkpoint')
    .sort(([, a], [, b]) => Number(a.begunMicros - b.begunMicros))
    .map(([step, found]) => ({
      step,
      name: found.name,
      kind: found.kind,
      state: STEP_STATES[stateOf(found)],
      providerKey: found.providerKey,
      reference: found.reference,
      amountMinor: found.amountMinor,
      currency: found.currency?.toUpperCase() ?? null,
      begunAt: microsAsDate(found.begunMicros),
      settledAt: found.settledMicros === null ? null : microsAsDate(found.settledMicros),
      result: found.result,
    }))
