import { createHash } from 'node:crypto'
import { canonicalJson } from '@/lib/core/canonical-json'
import type { LeaseRow, LedgerRow, RecordRow, UnreadableRow } from '../sources/contracts'
import { keyHash } from '../sources/key-hash'

/** What is staged of an object: one row of mirror.object before it gets its number and its operation. */
export type MirrorSource = { id: string; system: string }

export type StagedObject = {
  objectId: string
  side: 'intent' | 'ledger' | 'provider' | 'telemetry'
  kind: 'key' | 'charge' | 'refund' | 'payment' | 'fee' | 'dispute' | 'other' | 'mismatch'
  status: string
  /** Newer replaces older. */
  version: bigint
  occurredAt: Date
  leaseUntil: Date | null
  expiresAt: Date | null
  httpStatus: number | null
  amountMinor: bigint | null
  capturedMinor: bigint | null
  refundedMinor: bigint | null
  currency: string | null
  scope: string | null
  key: string | null
  keyHash: string | null
  step: string | null
  reference: string | null
  providerRef: string | null
  parentRef: string | null
  actionId: string | null
  data: Record<string, unknown>
  /** Whatever leads to its operation. Never empty. */
  aliases: string[]
  contentHash: string
  /** When its source answered, by the source's own clock; null = not kept. */
  observedAt: Date | null
}

export type Content = Omit<StagedObject, 'version' | 'aliases' | 'contentHash' | 'observedAt' | 'unreadable'>

export const EMPTY = {
  leaseUntil: null,
  expiresAt: null,
  httpStatus: null,
  amountMinor: null,
  capturedMinor: null,
  refundedMinor: null,
  currency: null,
  scope: null,
  key: null,
  keyHash: null,
  step: null,
  reference: null,
  providerRef: null,
  parentRef: null,
  actionId: null,
} as const

/** A record never changes and outranks every reading of its lease: above any time in µs. */
const TERMINAL_VERSION = 2n ** 61n

/** Of a lease, by the clock of its store; of a mismatch, by that of its spans. Other sides draw theirs (`nextVersion`). */
const versionAt = (observedAt: Date): bigint => BigInt(observedAt.getTime()) * 1000n

export const alias = {
  key: (scope: string, key: string): string => `k:${scope}\u001f${key}`,
  provider: (id: string): string => `p:${id}`,
  reference: (reference: string): string => `r:${reference}`,
  object: (sourceId: string, objectId: string): string => `o:${sourceId}\u001f${objectId}`,
}

/**
 * A NUL or half a surrogate pair, such as in an order's reference that a client made up: PostgreSQL refuses the whole
 * batch for it.
 */
const keepableText = (text: string): string =>
  text.includes('\u0000') || !text.isWellFormed() ? text.toWellFormed().replaceAll('\u0000', '\ufffd') : text

function keepable(value: unknown): unknown {
  if (typeof value === 'string') return keepableText(value)
  if (Array.isArray(value)) return value.map(keepable)
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [keepableText(name), keepable(each)]))
}

/** One life of a key: executed again after its expiry, it is another object. */
export const lifeId = (scope: string, key: string, createdAtText: string): string =>
  `${scope}|${key}|${createdAtText}`

/** A staged object with the hash of its content. Of its texts, what the mirror's database cannot keep is replaced. */
export function staged(version: bigint, given: Content, rawAliases: (string | null)[]): StagedObject {
  const content = keepable(given) as Content
  const aliases = keepable(rawAliases) as (string | null)[]
  return {
    ...content,
    version,
    aliases: [...new Set(aliases.filter((value) => value !== null))],
    contentHash: createHash('sha256').update(canonicalJson(content)).digest('hex').slice(0, 32),
    observedAt: null,
  }
}

export function leaseObject(lease: LeaseRow, observedAt: Date, secret: string): StagedObject {
  const primary = primaryEffect(lease.effects)
  const content: Content = {
    ...EMPTY,
    objectId: lifeId(lease.scope, lease.key, lease.seen.createdAt),
    side: 'intent',
    kind: 'key',
    status: lease.state,
    occurredAt: lease.createdAt,
    leaseUntil: lease.leaseUntil,
    amountMinor: primary?.amountMinor ?? null,
    currency: primary?.currency ?? null,
    scope: lease.scope,
    key: lease.key,
    keyHash: keyHash(secret, lease.key),
    step: primary?.step ?? lease.step,
    providerRef: primary?.reference ?? null,
    data: {
      fence: lease.fence,
      owner: lease.owner,
      attempts: lease.attempts,
      tier: lease.tier,
      traceId: lease.traceId,
      fingerprint: lease.fingerprint,
      heartbeatAt: lease.heartbeatAt,
      overdue: lease.overdue,
      effects: lease.effects.map(({ result: _, ...effect }) => effect),
      names: [],
    },
  }
  const object = staged(versionAt(observedAt), content, [
    alias.key(lease.scope, lease.key),
    ...lease.effects.map(({ reference }) => (reference === null ? null : alias.provider(reference))),
  ])
  return { ...object, observedAt }
}

export function recordObject(record: RecordRow, secret: string): StagedObject {
  const primary = primaryEffect(record.effects)
  const content: Content = {
    ...EMPTY,
    objectId: lifeId(record.scope, record.key, record.createdAtText),
    side: 'intent',
    kind: 'key',
    status: record.state,
    occurredAt: record.createdAt,
    expiresAt: record.expiresAt,
    httpStatus: record.status,
    amountMinor: primary?.amountMinor ?? null,
    currency: primary?.currency ?? null,
    scope: record.scope,
    key: record.key,
    keyHash: keyHash(secret, record.key),
    step: primary?.step ?? null,
    reference: record.reference,
    providerRef: primary?.reference ?? null,
    data: {
      fence: record.fence,
      attempts: record.attempts,
      tier: record.tier,
      traceId: record.traceId,
      fingerprint: record.fingerprint,
      completedAt: record.completedAt,
      effects: record.effects.map(({ result: _, ...effect }) => effect),
      names: record.names,
    },
  }
  return staged(TERMINAL_VERSION, content, [
    alias.key(record.scope, record.key),
    record.reference === null ? null : alias.reference(record.reference),
    ...record.names.map(alias.provider),
    ...record.effects.map(({ reference }) => (reference === null ? null : alias.provider(reference))),
  ])
}

/**
 * A row of a store that cannot be understood: a key whose state is not known, so that its effects are neither unexplained
 * nor confirmed. `readAt` is the store's clock.
 */
export function unreadableKey(row: UnreadableRow, readAt: Date, secret: string): StagedObject {
  const { scope, key } = row
  const named = scope !== null && key !== null
  const content: Content = {
    ...EMPTY,
    objectId: named ? lifeId(scope, key, row.createdAtText ?? '') : `unreadable|${row.place}`,
    side: 'intent',
    kind: 'key',
    status: 'unknown',
    occurredAt: createdAtOf(row) ?? new Date(0),
    scope,
    key,
    keyHash: key === null ? null : keyHash(secret, key),
    data: { fence: '0', effects: [], names: [], unreadable: row.reason },
  }
  const object = staged(versionAt(readAt), content, [named ? alias.key(scope, key) : null])
  return { ...object, observedAt: readAt }
}

function createdAtOf({ createdAtText }: UnreadableRow): Date | null {
  const at = createdAtText === null ? Number.NaN : Date.parse(createdAtText)
  return Number.isNaN(at) ? null : new Date(at)
}

/** The effect that a key stands for: the last one that names what it made, else the last one. */
const primaryEffect = (effects: LeaseRow['effects']) =>
  effects.findLast(({ reference }) => reference !== null) ?? effects.at(-1)

export function ledgerObject(row: LedgerRow, version: bigint): StagedObject {
  const content: Content = {
    ...EMPTY,
    objectId: row.entryId,
    side: 'ledger',
    kind: row.kind,
    status: row.reversedAt === null ? 'booked' : 'reversed',
    occurredAt: row.bookedAt,
    amountMinor: row.amountMinor,
    currency: row.currency,
    reference: row.reference,
    providerRef: row.providerRef,
    parentRef: row.chargeRef,
    actionId: row.correctionId,
    data: {
      rawKind: row.rawKind,
      reversedAt: row.reversedAt,
      ...(row.unreadable === undefined ? {} : { unreadable: row.unreadable }),
    },
  }
  const object = staged(version, content, [
    row.providerRef === null ? null : alias.provider(row.providerRef),
    row.chargeRef === null ? null : alias.provider(row.chargeRef),
    row.reference === null ? null : alias.reference(row.reference),
  ])
  return { ...object, contentHash: ledgerHash(row) }
}

/** The bulk load makes the same hash in SQL: a row that is read again both ways is the same row. */
const ledgerHash = (row: LedgerRow): string =>
  createHash('sha256')
    .update(
      [
        row.kind,
        row.rawKind,
        row.providerRef,
        row.chargeRef,
        row.reference,
        row.amountMinor,
        row.currency,
        row.bookedAt.getTime(),
        row.reversedAt?.getTime(),
        row.correctionId,
      ]
        .map((value) => value ?? '')
        .join('\u001f'),
    )
    .digest('hex')
    .slice(0, 32)

/** Requests answered 422: the key came again with another body. Seen by telemetry only. */
export function mismatchObject(mismatch: {
  scope: string
  key: string
  keyHash: string
  firstAt: Date
  lastAt: Date
  count: number
}): StagedObject {
  const content: Content = {
    ...EMPTY,
    objectId: `mismatch|${mismatch.scope}|${mismatch.keyHash}`,
    side: 'telemetry',
    kind: 'mismatch',
    status: 'mismatch',
    occurredAt: mismatch.firstAt,
    scope: mismatch.scope,
    key: mismatch.key,
    keyHash: mismatch.keyHash,
    data: { count: mismatch.count, lastAt: mismatch.lastAt },
  }
  return staged(versionAt(mismatch.lastAt) + BigInt(mismatch.count), content, [
    alias.key(mismatch.scope, mismatch.key),
  ])
}
