import { z } from 'zod'
import {
  type EffectState,
  type LeaseRow,
  type LeaseState,
  type RecordRow,
  type SeenLease,
  type StoredEffect,
  type UnreadableRow,
  understand,
} from '../contracts'
import { responseFields } from '../response-fields'

const LEASE_STATE = { L: 'leased', R: 'retryable', U: 'unknown' } as const
const RECORD_STATE = { C: 'completed', F: 'failed_final' } as const
const EFFECT_STATE = { B: 'begun', C: 'committed', F: 'failed', U: 'unknown' } as const

const stamp = z.string().transform((text) => new Date(text))
const amount = z.union([z.string(), z.number()]).transform((value) => BigInt(value))

const effectSchema = z
  .object({
    step: z.string(),
    name: z.string(),
    kind: z.string(),
    state: z.enum(['B', 'C', 'F', 'U']),
    providerKey: z.string().nullish(),
    reference: z.string().nullish(),
    amountMinor: amount.nullish(),
    currency: z.string().nullish(),
    begunAt: stamp,
    settledAt: stamp.nullish(),
    result: z.unknown().optional(),
  })
  .transform(
    (row): StoredEffect => ({
      step: row.step,
      name: row.name,
      kind: row.kind,
      state: EFFECT_STATE[row.state] satisfies EffectState,
      providerKey: row.providerKey ?? null,
      reference: row.reference ?? null,
      amountMinor: row.amountMinor ?? null,
      currency: row.currency?.toUpperCase() ?? null,
      begunAt: row.begunAt,
      settledAt: row.settledAt ?? null,
      result: row.result ?? null,
    }),
  )

const effects = z
  .array(effectSchema)
  .nullable()
  .transform((rows) => rows ?? [])

/** All that is known of the steps `p` of a key, checkpoints included: what a compare-and-set compares of them. */
export const STEPS_DIGEST = `md5(coalesce(string_agg(md5(p::text), ',' ORDER BY p.step), ''))`

/**
 * A step that failed after an attempt whose end nobody knows may have happened all the same. (Stores of an earlier SDK
 * have no such column.)
 */
const STEP_STATE = `CASE WHEN p.state = 'F' AND to_jsonb(p)->>'in_doubt' = 'true' THEN 'U' ELSE p.state::text END`

/** One lease as a JSON object: exact texts, whatever the driver would make of them. */
export const LEASE_JSON = `
  SELECT s.name AS scope, idem_key_text(l.key) AS key, l.state::text AS state,
    l.lease_until <= clock_timestamp() AS expired,
    coalesce(l.created_at + t.ttl_ms * interval '1 millisecond' <= clock_timestamp(), false) AS overdue, l.fence::text AS fence, l.owner, l.attempts, t.name AS tier,
    l.step, encode(l.trace_id, 'hex') AS trace_id, encode(l.fingerprint, 'hex') AS fingerprint,
    l.created_at, l.lease_until, l.heartbeat_at,
    l.created_at::text AS created_text, l.lease_until::text AS lease_text, l.heartbeat_at::text AS heartbeat_text,
    (SELECT jsonb_agg(jsonb_build_object('step', p.step, 'name', p.name, 'kind', p.kind, 'state', ${STEP_STATE},
        'providerKey', p.provider_key, 'reference', p.reference, 'amountMinor', p.amount_minor::text,
        'currency', p.currency, 'begunAt', p.begun_at, 'settledAt', p.settled_at, 'result', p.result)
        ORDER BY p.begun_at)
     FROM idem_step p
     WHERE p.scope_id = l.scope_id AND p.key = l.key AND p.kind <> 'checkpoint') AS effects,
    (SELECT ${STEPS_DIGEST} FROM idem_step p WHERE p.scope_id = l.scope_id AND p.key = l.key) AS steps
  FROM idem_lease l
  JOIN idem_scope s ON s.scope_id = l.scope_id
  LEFT JOIN idem_tier t ON t.tier = l.tier`

const leaseSchema = z.object({
  scope: z.string(),
  key: z.string(),
  state: z.enum(['L', 'R', 'U']),
  expired: z.boolean(),
  overdue: z.boolean(),
  fence: z.string(),
  owner: z.string(),
  attempts: z.number(),
  tier: z.string().nullable(),
  step: z.string().nullable(),
  trace_id: z.string().nullable(),
  fingerprint: z.string().nullable(),
  created_at: stamp,
  lease_until: stamp,
  heartbeat_at: stamp,
  created_text: z.string(),
  lease_text: z.string(),
  heartbeat_text: z.string(),
  effects,
  steps: z.string(),
})

export function parseLease(json: unknown): LeaseRow {
  const row = leaseSchema.parse(json)
  const state: LeaseState = LEASE_STATE[row.state]
  const seen: SeenLease = {
    scope: row.scope,
    key: row.key,
    createdAt: row.created_text,
    fence: row.fence,
    state,
    leaseUntil: row.lease_text,
    heartbeatAt: row.heartbeat_text,
    steps: row.steps,
  }
  return {
    scope: row.scope,
    key: row.key,
    state,
    expired: row.expired,
    fence: BigInt(row.fence),
    owner: row.owner,
    attempts: row.attempts,
    tier: row.tier,
    step: row.step,
    traceId: row.trace_id,
    fingerprint: row.fingerprint,
    createdAt: row.created_at,
    leaseUntil: row.lease_until,
    heartbeatAt: row.heartbeat_at,
    overdue: row.overdue,
    effects: row.effects,
    seen,
    version: [row.fence, row.state, row.created_text, row.lease_text, row.heartbeat_text, row.steps].join(
      '|',
    ),
  }
}

/** A body longer than this is not searched for names. */
const NAMING_BODY_BYTES_MAX = 16_384

export const RECORD_JSON = `
  SELECT s.name AS scope, idem_key_text(r.key) AS key, r.state::text AS state, r.fence::text AS fence, r.attempts,
    t.name AS tier, r.status, encode(r.trace_id, 'hex') AS trace_id, encode(r.fingerprint, 'hex') AS fingerprint,
    r.created_at, r.created_at::text AS created_text, r.expires_at, r.expires_at::text AS expires_text,
    r.expires_at - t.ttl_ms * interval '1 millisecond' AS completed_at,
    r.scope_id, encode(r.key, 'hex') AS key_hex, b.effects,
    CASE WHEN octet_length(b.body) <= ${NAMING_BODY_BYTES_MAX} THEN encode(b.body, 'base64') END AS body_base64
  FROM idem_record r
  JOIN idem_scope s ON s.scope_id = r.scope_id
  LEFT JOIN idem_tier t ON t.tier = r.tier
  LEFT JOIN idem_body b ON b.tier = r.tier AND b.expires_at = r.expires_at AND b.scope_id = r.scope_id AND b.key = r.key`

const recordSchema = z.object({
  scope: z.string(),
  key: z.string(),
  state: z.enum(['C', 'F']),
  fence: z.string(),
  attempts: z.number(),
  tier: z.string().nullable(),
  status: z.number().nullable(),
  trace_id: z.string().nullable(),
  fingerprint: z.string().nullable(),
  created_at: stamp,
  created_text: z.string(),
  expires_at: stamp,
  expires_text: z.string(),
  completed_at: stamp.nullable(),
  effects,
  body_base64: z.string().nullable(),
})

/** Where a page of records ended: the sort key of its last row. */
type RecordPosition = { expiresAt: string; scopeId: number; keyHex: string }

const positionSchema = z.object({ expires_text: z.string(), scope_id: z.number(), key_hex: z.string() })

export function positionOf(json: unknown): RecordPosition {
  const row = positionSchema.parse(json)
  return { expiresAt: row.expires_text, scopeId: row.scope_id, keyHex: row.key_hex }
}

const remnantSchema = z.object({ scope: z.string(), key: z.string(), created_text: z.string() })

/** A lease or a record, or its name alone where it cannot be understood. */
export function tryRow<T>(json: unknown, read: (json: unknown) => T): T | UnreadableRow {
  const { scope, key, created_text: createdAtText } = remnantSchema.parse(json)
  return understand(() => read(json), { place: `${scope}|${key}`, scope, key, createdAtText })
}

export function parseRecord(
  json: unknown,
  config: { referenceField: string | null; idFields: readonly string[] },
): RecordRow {
  const row = recordSchema.parse(json)
  const body = row.body_base64 === null ? null : Buffer.from(row.body_base64, 'base64').toString('utf8')
  const named = responseFields(body)
  return {
    scope: row.scope,
    key: row.key,
    state: RECORD_STATE[row.state],
    fence: BigInt(row.fence),
    attempts: row.attempts,
    tier: row.tier,
    status: row.status,
    traceId: row.trace_id,
    fingerprint: row.fingerprint,
    createdAt: row.created_at,
    createdAtText: row.created_text,
    expiresAt: row.expires_at,
    completedAt: row.completed_at ?? row.created_at,
    effects: row.effects,
    names: config.idFields.flatMap((field) => named(field) ?? []),
    reference: config.referenceField === null ? null : named(config.referenceField),
  }
}
