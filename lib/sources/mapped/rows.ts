import { z } from 'zod'
import {
  type KeyReading,
  type LeaseRow,
  type LeaseState,
  type RecordRow,
  type StoredResponse,
  type UnreadableRow,
  understand,
} from '../contracts'
import { responseFields } from '../response-fields'
import type { MappedConfig } from './config'

/** A number that is read as another unit than it has lies thousands of years ahead: no database takes it back. */
const stamp = z.date().refine((at) => at >= FIRST_DAY && at <= LAST_DAY, 'is no day of the calendar')
const FIRST_DAY = new Date('0001-01-01T00:00:00Z')
const LAST_DAY = new Date('9999-12-31T00:00:00Z')

const rowSchema = z.object({
  key: z.string(),
  scope: z.string(),
  state: z.enum(['L', 'R', 'U', 'C', 'F', '?']),
  created_at: stamp,
  created_text: z.string(),
  lease_until: stamp,
  lease_text: z.string(),
  lease_passed: z.boolean(),
  heartbeat_at: stamp,
  heartbeat_text: z.string(),
  fence: z.string(),
  expires_text: z.string(),
  expired: z.boolean(),
  completed_at: stamp.nullable(),
  owner: z.string().nullable(),
  attempts: z.string().nullable(),
  step: z.string().nullable(),
  fingerprint: z.string().nullable(),
  trace_id: z.string().nullable(),
  status: z
    .string()
    .regex(/^\d{1,4}$/, 'is no HTTP status')
    .nullable(),
  headers: z.string().nullable(),
  body: z.string().nullable(),
  row_version: z.string(),
  order_text: z.string(),
})
export type Row = z.infer<typeof rowSchema>

const parseRow = (raw: unknown): Row => rowSchema.parse(raw)

/** A key that has no expiry is kept: further in the future than any policy looks. */
const NEVER = LAST_DAY
const LIVE = { L: 'leased', R: 'retryable', U: 'unknown', '?': 'unknown' } as const

const remnantSchema = z.object({
  key: z.string().nullable().catch(null),
  scope: z.string().nullable().catch(null),
  created_text: z.string().nullable().catch(null),
  order_text: z.string().nullable().catch(null),
})

/** A row, or what is left of one that cannot be understood. */
export function tryRow<T>(raw: unknown, read: (row: Row) => T): T | UnreadableRow {
  const { key, scope, created_text: createdAtText, order_text: order } = remnantSchema.parse(raw)
  return understand(() => read(parseRow(raw)), {
    place: `${order ?? ''}|${key ?? ''}`,
    scope,
    key,
    createdAtText,
  })
}

export const isLive = (row: Row): boolean => row.state !== 'C' && row.state !== 'F'

export function toLease(row: Row, config: MappedConfig): LeaseRow {
  const state: LeaseState = row.state === 'C' || row.state === 'F' ? 'unknown' : LIVE[row.state]
  const leaseless = config.lease === undefined
  // Without a lease nothing ever passes: it is held until its record would expire.
  const leaseUntil = leaseless && state === 'leased' ? expiryOf(row) : row.lease_until
  return {
    scope: row.scope,
    key: row.key,
    state,
    expired: leaseless ? false : row.lease_passed,
    fence: BigInt(row.fence),
    owner: row.owner ?? '',
    attempts: Number(row.attempts ?? 1),
    tier: null,
    step: row.step,
    traceId: row.trace_id,
    fingerprint: row.fingerprint,
    createdAt: row.created_at,
    leaseUntil,
    heartbeatAt: row.heartbeat_at,
    overdue: row.expired,
    ...(leaseless ? { leaseless } : {}),
    effects: [],
    seen: {
      scope: row.scope,
      key: row.key,
      createdAt: row.created_text,
      fence: row.fence,
      state,
      leaseUntil: leaseless ? leaseUntil.toISOString() : row.lease_text,
      heartbeatAt: row.heartbeat_text === '' ? row.created_text : row.heartbeat_text,
      rowVersion: row.row_version,
    },
    version: [row.row_version, row.state, row.created_text, row.lease_text, row.heartbeat_text].join('|'),
  }
}

export function toRecord(row: Row, config: MappedConfig): RecordRow {
  const named = responseFields(row.body)
  return {
    scope: row.scope,
    key: row.key,
    state: row.state === 'F' ? 'failed_final' : 'completed',
    fence: BigInt(row.fence),
    attempts: Number(row.attempts ?? 1),
    tier: null,
    status: row.status === null ? null : Number(row.status),
    traceId: row.trace_id,
    fingerprint: row.fingerprint,
    createdAt: row.created_at,
    createdAtText: row.created_text,
    expiresAt: expiryOf(row),
    completedAt: row.completed_at ?? row.heartbeat_at,
    effects: [],
    names: config.idFields.flatMap((field) => named(field) ?? []),
    reference: config.referenceField === null ? null : named(config.referenceField),
  }
}

export function toReading(now: Date, row: Row | null, config: MappedConfig): KeyReading {
  if (row === null) return { now, lease: null, record: null }
  if (isLive(row)) return { now, lease: toLease(row, config), record: null }
  return {
    now,
    lease: null,
    record: { ...toRecord(row, config), expired: row.expired, response: toResponse(row) },
  }
}

const toResponse = (row: Row): StoredResponse => ({
  status: row.status === null ? 0 : Number(row.status),
  headers: parseHeaders(row.headers),
  body: row.body ?? '',
})

function expiryOf(row: Row): Date {
  if (row.expires_text === 'infinity') return NEVER
  const at = new Date(row.expires_text)
  if (Number.isNaN(at.getTime()) || at > LAST_DAY || at < FIRST_DAY)
    throw new RangeError(`its expiry is no time: ${row.expires_text}`)
  return at
}

const headersSchema = z.record(
  z.string(),
  z.union([z.string(), z.array(z.string()).transform((all) => all.join(', '))]),
)

/** Libraries write them in many forms; those that are no object of texts are not shown. */
function parseHeaders(text: string | null): Record<string, string> {
  if (text === null) return {}
  try {
    return headersSchema.catch({}).parse(JSON.parse(text))
  } catch {
    return {}
  }
}
