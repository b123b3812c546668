import { z } from 'zod'
import { type RecordHead, readHead, readHeaders, type StoredStep } from '@/sdk/stores/redis/layout'
import { STATES } from '@/sdk/stores/state-letters'
import type { KeyReading, LeaseRow, RecordRow, SeenLease } from '../contracts'
import { digestOf } from '../redis/values/read-value'
import { responseFields } from '../response-fields'
import type { NativeRedisConfig } from './config'
import { parseEffects, parseStep, toEffects } from './effects'
import { dateOf, isoOf } from './stamps'

export type Named = { scope: string; key: string }
export type Fields = readonly [name: string, value: string][]
/** A live key as it is stored, in the order of its names. */
export type LiveKey = Named & { fields: Fields; nowMicros: string }

const micros = z.string().regex(/^\d{1,16}$/)
const HEX = /^([0-9a-f]{2})*$/

const liveSchema = z.object({
  s: z.enum(['L', 'R', 'U']),
  f: micros,
  o: z.string(),
  n: z.coerce.number(),
  c: micros,
  u: micros,
  h: micros,
  p: z.string().regex(HEX),
  t: z.string(),
  l: z.coerce.number(),
  i: z.string().optional(),
  a: z.string(),
  r: z.string().optional(),
})

export const stepsIn = (fields: Fields): StoredStep[] =>
  fields.flatMap(([name, value]) => (name.startsWith('$') ? [parseStep(value)] : []))

export function toLease({ scope, key, fields, nowMicros }: LiveKey): LeaseRow {
  const row = liveSchema.parse(Object.fromEntries(fields))
  const state = STATES[row.s]
  const steps = digestOf({ kind: 'hash', fields: fields.filter(([name]) => name.startsWith('$')) })
  const whole = digestOf({ kind: 'hash', fields })
  const seen: SeenLease = {
    scope,
    key,
    createdAt: isoOf(row.c),
    fence: row.f,
    state,
    leaseUntil: isoOf(row.u),
    heartbeatAt: isoOf(row.h),
    rowVersion: whole,
    steps,
  }
  return {
    scope,
    key,
    state,
    expired: Number(row.u) <= Number(nowMicros),
    fence: BigInt(row.f),
    owner: row.o,
    nonce: row.a,
    attempts: row.n,
    tier: row.t,
    step: row.r ?? null,
    traceId: row.i ?? null,
    fingerprint: row.p,
    createdAt: dateOf(row.c),
    leaseUntil: dateOf(row.u),
    heartbeatAt: dateOf(row.h),
    overdue: Number(row.c) + row.l * 1_000 <= Number(nowMicros),
    effects: toEffects(stepsIn(fields)),
    seen,
    version: [row.f, state, seen.createdAt, seen.leaseUntil, seen.heartbeatAt, whole].join('|'),
  }
}

/** A body longer than this is not searched for names. */
const NAMING_BODY_BYTES_MAX = 16_384

/** How long each tier keeps its records, in ms. */
export type Tiers = ReadonlyMap<string, number>

/** Not a record: what a give back leaves for a minute. */
export const isGivenBack = (stored: Buffer): boolean => stored.toString('latin1', 0, 4) === '1 G '

/** `stored` may end within its body. `length`: of the whole. */
export function toRecord(
  { scope, key }: Named,
  stored: Buffer,
  length: number,
  { config, tiers }: { config: NativeRedisConfig; tiers: Tiers },
): { record: RecordRow; head: RecordHead } {
  const head = readRecordHead(stored)
  const ttlMs = tiers.get(head.tier)
  const isShort = length - head.bodyAt <= NAMING_BODY_BYTES_MAX && stored.length === length
  const named = responseFields(isShort ? stored.toString('utf8', head.bodyAt) : null)
  const createdAt = dateOf(head.createdMicros)
  const expiresAt = dateOf(head.expiresMicros)
  const record: RecordRow = {
    scope,
    key,
    state: STATES[head.state],
    fence: head.fence,
    attempts: head.attempts,
    tier: head.tier,
    status: head.status,
    traceId: head.traceId,
    fingerprint: head.fingerprint,
    createdAt,
    createdAtText: isoOf(head.createdMicros),
    expiresAt,
    completedAt: ttlMs === undefined ? createdAt : new Date(expiresAt.getTime() - ttlMs),
    effects: parseEffects(stored.toString('utf8', head.effectsAt, head.bodyAt)),
    names: config.idFields.flatMap((field) => named(field) ?? []),
    reference: config.referenceField === null ? null : named(config.referenceField),
  }
  return { record, head }
}

const count = z.int().min(0)
const headSchema = z.object({
  attempts: count,
  createdMicros: micros,
  expiresMicros: micros,
  status: z.int().min(100).max(999),
  fingerprint: z.string().regex(HEX),
  headersAt: count,
  effectsAt: count,
  bodyAt: count,
})

/** What the SDK cannot read, or what the mirror could not keep, is set apart, as any other row. */
export function readRecordHead(stored: Buffer): RecordHead {
  let head: RecordHead
  try {
    head = readHead(stored)
  } catch (cause) {
    throw new RangeError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
  headSchema.parse(head)
  return head
}

/** One whole record, as it is replayed. */
export function toWhole(
  named: Named,
  stored: Buffer,
  nowMicros: string,
  reading: { config: NativeRedisConfig; tiers: Tiers },
): NonNullable<KeyReading['record']> {
  const { record, head } = toRecord(named, stored, stored.length, reading)
  return {
    ...record,
    expired: Number(head.expiresMicros) <= Number(nowMicros),
    response: {
      status: head.status,
      headers: Object.fromEntries(readHeaders(stored, head)),
      body: stored.toString('utf8', head.bodyAt),
    },
  }
}
