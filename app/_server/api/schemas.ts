import { z } from 'zod'
import { CASE_CLASSES } from '@/lib/core/case-classes'
import { moneyJsonSchema } from '@/lib/core/money-json'
import { ROLES } from '@/lib/core/permissions'
import {
  ACTION_STATES,
  ALL_ACTION_KINDS,
  CASE_LIFECYCLES,
  CASE_OUTCOMES,
  CASE_TRIAGES,
  KEY_STATES,
  LOCK_VERDICTS,
  RUN_KINDS,
  RUN_STATES,
} from '@/lib/core/states'
import { STORE_STATES } from '@/lib/mirror/read/list-sources'

/** What the API answers. The document is made of these, and the tests hold real answers against them. */

export const keysOf = <T extends string>(table: Record<T, unknown>) => Object.keys(table) as [T, ...T[]]

const at = z.iso.datetime().describe('RFC 3339, UTC')
const nullableAt = at.nullable()
const nullableText = z.string().nullable()
const json = z.unknown()
const count = z
  .union([z.number(), z.string()])
  .describe('A number; beyond 2^53 − 1 a decimal string, so that it stays exact')

export const moneyJson = moneyJsonSchema
  .describe('Minor units as a decimal string, and the ISO 4217 code')
  .meta({ id: 'Money' })

/** A page of a list. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next: nullableText.describe('The cursor of the next page') })

export const storesSchema = z
  .enum(STORE_STATES)
  .describe(
    'Whether anything can be known: an empty list means none only once an idempotency store was `read`',
  )

export const measureSchema = z
  .object({
    id: z.string().describe('M1–M10'),
    name: z.string(),
    value: z.number().nullable().describe('null = not measured; never 0 in its place'),
    numerator: count.nullable(),
    denominator: count.nullable(),
    unit: z.string(),
    target: z.number().nullable(),
    state: z.enum(['ok', 'breach', 'not measured']),
    reason: z.string().optional(),
    detail: z.record(z.string(), json),
  })
  .meta({ id: 'Measure' })

export const keySchema = z
  .object({
    id: z.string(),
    source: z.string(),
    scope: z.string(),
    key: z.string(),
    state: z.enum(KEY_STATES),
    attempts: z.number().nullable(),
    status: z.number().nullable().describe('The HTTP status that is replayed'),
    reference: nullableText,
    createdAt: at,
    expiresAt: nullableAt,
  })
  .meta({ id: 'Key' })

export const lockSchema = z
  .object({
    id: z.string(),
    source: z.string(),
    scope: z.string(),
    key: z.string(),
    state: z.enum(KEY_STATES),
    age: z.number().describe('Seconds since it was first acquired'),
    holder: z.string(),
    verdict: z.enum(LOCK_VERDICTS),
    reason: z.string(),
    version: z.string().describe('Send it back as `seen`'),
    fence: z.string(),
    attempts: z.number(),
    tier: nullableText,
    step: nullableText,
    traceId: nullableText,
    acquiredAt: at,
    leaseUntil: at,
    heartbeatAt: at,
    providerAnswer: json,
    checkedAt: at,
    goneAt: nullableAt,
  })
  .meta({ id: 'Lock' })

export const actionSchema = z
  .object({
    id: z.string(),
    kind: z.enum(ALL_ACTION_KINDS),
    state: z.enum(keysOf(ACTION_STATES)),
    source: nullableText,
    caseId: nullableText,
    runId: nullableText,
    scope: nullableText,
    key: nullableText,
    provider: nullableText,
    charge: nullableText,
    amount: moneyJson.nullable(),
    reason: z.string(),
    params: json,
    evidence: json,
    evidenceHash: nullableText.describe('What an approval names'),
    result: json,
    proposer: nullableText,
    approver: nullableText,
    supersedes: nullableText,
    version: z.number(),
    createdAt: at,
    approvedAt: nullableAt,
    expiresAt: nullableAt,
    executedAt: nullableAt,
    finishedAt: nullableAt,
  })
  .meta({ id: 'Action' })

export const effectSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['duplicate', 'orphan']),
    name: z.string(),
    step: z.string(),
    scope: nullableText,
    key: nullableText.describe('null while only its hash was seen'),
    effectIds: z.array(z.string()),
    traceIds: z.array(z.string()),
    amount: moneyJson.nullable(),
    outcome: z.enum(['suspected', 'confirmed']),
    caseId: nullableText,
    class: nullableText,
    at,
  })
  .meta({ id: 'Effect' })

export const runSchema = z
  .object({
    id: z.string(),
    kind: z.enum(RUN_KINDS),
    state: z.enum(keysOf(RUN_STATES)),
    outcome: nullableText,
    dryRun: z.boolean(),
    params: json,
    progress: z.number().describe('0–1'),
    counts: json,
    error: nullableText,
    requestedBy: z.string(),
    cancelRequested: z.boolean(),
    createdAt: at,
    startedAt: nullableAt,
    finishedAt: nullableAt,
  })
  .meta({ id: 'Run' })

export const caseSchema = z
  .looseObject({
    id: z.string(),
    class: z.enum(keysOf(CASE_CLASSES)),
    severity: z.enum(['P1', 'P2', 'P3', 'warn']),
    outcome: z.enum(CASE_OUTCOMES),
    lifecycle: z.enum(CASE_LIFECYCLES),
    triage: z.enum(CASE_TRIAGES),
    subject: z.object({
      scope: nullableText,
      key: nullableText,
      effectIds: z.array(z.string()),
      reference: nullableText,
    }),
    evidence: json,
    firstSeen: at,
    lastSeen: at,
  })
  .meta({ id: 'Case' })

export const auditSchema = z
  .object({
    id: z.string(),
    at,
    actor: z.string(),
    actorId: nullableText,
    via: z.string(),
    verb: z.string(),
    subject: z.string(),
    outcome: z.string(),
    reason: nullableText,
    before: json,
    after: json,
    requestId: nullableText,
    seal: z.object({ seq: z.string(), hash: z.string() }).nullable(),
  })
  .meta({ id: 'AuditEntry' })

const notedRows = z
  .object({
    count: z.number(),
    latestId: z.string(),
    latestReason: z.string(),
    latestAt: z.iso.datetime(),
  })
  .nullable()

export const sourceSchema = z
  .object({
    id: z.string(),
    kind: z.string(),
    adapter: z.string(),
    name: z.string(),
    system: z.string(),
    region: nullableText.describe('Where its records are kept, in the operator’s own words'),
    enabled: z.boolean(),
    version: z.number().describe('A change or a removal names the one that was seen'),
    state: z.enum(['ok', 'stale', 'down', 'never']),
    lastOkAt: nullableAt,
    lastError: nullableText,
    lastErrorAt: nullableAt,
    capabilities: json,
    notUnderstood: notedRows.describe(
      'Objects that are there and cannot be understood: none of them is taken for absent',
    ),
    readLate: notedRows.describe(
      'Rows that were booked into the past, behind what was read: found by id only, so that others may not be read',
    ),
    openTransaction: z
      .object({ since: z.string() })
      .nullable()
      .describe('The oldest transaction of its database that may still commit rows behind what was read'),
  })
  .meta({ id: 'Source' })

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    code: z.string().optional(),
    requestId: z.string(),
    roleNeeded: z.enum(ROLES).optional(),
    faults: z.array(z.object({ in: z.string(), name: z.string(), message: z.string() })).optional(),
  })
  .describe('RFC 9457')
  .meta({ id: 'Problem' })
