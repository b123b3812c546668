import { createHash } from 'node:crypto'
import { canonicalJson } from '@/lib/core/canonical-json'
import type {
  ProviderCharge,
  ProviderDispute,
  ProviderPayment,
  ProviderRecord,
  ProviderRecordKind,
  ProviderRefund,
  ProviderUnreadable,
} from '../sources/contracts'
import { keyHash } from '../sources/key-hash'
import { alias, type Content, EMPTY, type StagedObject, staged } from './object'

/** In which order a source was asked, and when it answered by its own clock. */
export type Reading = { version: bigint; at: Date | null }

/** How objects of a source are staged. */
export type Staging = { mode: 'live' | 'test'; keySecret: string }

export function providerObject(object: ProviderRecord, reading: Reading, staging: Staging): StagedObject {
  return { ...toStaged(object, reading, staging), observedAt: reading.at }
}

function toStaged(object: ProviderRecord, reading: Reading, staging: Staging): StagedObject {
  switch (object.kind) {
    case 'charge':
      return chargeObject(object, reading, staging)
    case 'payment':
      return paymentObject(object, reading, staging)
    case 'unreadable':
      return unreadableObject(object, reading, staging)
    case 'refund':
    case 'dispute':
      return partObject(object, reading, staging)
    default:
      return object satisfies never
  }
}

const tagged = (object: ProviderRecord, { keySecret }: Staging) => ({
  scope: object.scope,
  key: object.key,
  keyHash: object.key === null ? null : keyHash(keySecret, object.key),
  step: object.step,
  reference: object.reference,
  actionId: object.actionId,
})

const tagAliases = (object: ProviderRecord): (string | null)[] => [
  alias.provider(object.id),
  object.kind === 'payment' || object.paymentIntentId === null
    ? null
    : alias.provider(object.paymentIntentId),
  object.scope === null || object.key === null ? null : alias.key(object.scope, object.key),
  object.reference === null ? null : alias.reference(object.reference),
]

const isMixed = (live: boolean | null, { mode }: Staging): boolean =>
  live !== null && live !== (mode === 'live')

function chargeObject(charge: ProviderCharge, reading: Reading, staging: Staging): StagedObject {
  const content: Content = {
    ...EMPTY,
    ...tagged(charge, staging),
    objectId: charge.id,
    side: 'provider',
    kind: 'charge',
    status: charge.status,
    occurredAt: charge.createdAt,
    amountMinor: charge.amountMinor,
    capturedMinor: charge.capturedMinor,
    refundedMinor: charge.refundedMinor,
    currency: charge.currency,
    providerRef: charge.id,
    parentRef: charge.paymentIntentId,
    data: {
      captured: charge.captured,
      rawStatus: charge.rawStatus,
      customer: charge.customer,
      modeMix: isMixed(charge.live, staging),
      // Only what is so: a charge without them is the same one that was staged before they were kept.
      ...(charge.taggedBy === null || charge.taggedBy === charge.id ? {} : { taggedBy: charge.taggedBy }),
      ...(charge.releasedMinor === 0n ? {} : { releasedMinor: charge.releasedMinor }),
      ...(charge.feeRef === null ? {} : { feeRef: charge.feeRef }),
    },
  }
  const object = staged(reading.version, content, tagAliases(charge))
  // Events show by what a charge was settled, and not its fee or its time: kept, but they make no other charge of it.
  return { ...object, data: { ...object.data, feeMinor: charge.feeMinor, takenAt: charge.takenAt } }
}

/** Ties the ids that a service may keep for a payment to the charges that were made under it. */
function paymentObject(payment: ProviderPayment, reading: Reading, staging: Staging): StagedObject {
  const content: Content = {
    ...EMPTY,
    ...tagged(payment, staging),
    objectId: payment.id,
    side: 'provider',
    kind: 'payment',
    status: payment.status,
    occurredAt: payment.createdAt,
    amountMinor: payment.amount?.minor ?? null,
    currency: payment.amount?.currency ?? null,
    providerRef: payment.id,
    parentRef: payment.memberIds[0] ?? null,
    data: {
      rawStatus: payment.rawStatus,
      customer: payment.customer,
      members: payment.memberIds,
      modeMix: isMixed(payment.live, staging),
    },
  }
  return staged(reading.version, content, [...tagAliases(payment), ...payment.memberIds.map(alias.provider)])
}

/** A refund or a dispute: a part of its charge, given back or taken back. */
function partObject(
  part: ProviderRefund | ProviderDispute,
  reading: Reading,
  staging: Staging,
): StagedObject {
  const content: Content = {
    ...EMPTY,
    ...tagged(part, staging),
    objectId: part.id,
    side: 'provider',
    kind: part.kind,
    status: part.status,
    occurredAt: part.createdAt,
    amountMinor: part.amountMinor,
    currency: part.currency,
    providerRef: part.id,
    parentRef: part.chargeId,
    data: {
      rawStatus: part.rawStatus,
      modeMix: isMixed(part.live, staging),
      ...(part.kind === 'refund' && part.released ? { released: true } : {}),
    },
  }
  const object = staged(reading.version, content, [
    ...tagAliases(part),
    part.chargeId === null ? null : alias.provider(part.chargeId),
  ])
  // When a refund failed, or a bank took the money, is kept, but makes no other object of it: events may not show it.
  const when = part.kind === 'refund' ? { failedAt: part.failedAt } : { takenAt: part.takenAt }
  return { ...object, data: { ...object.data, ...when } }
}

/** It is there, and its state is of no kind that is known: whatever it belongs to is set apart with it. */
function unreadableObject(object: ProviderUnreadable, reading: Reading, staging: Staging): StagedObject {
  const content: Content = {
    ...EMPTY,
    ...tagged(object, staging),
    objectId: object.id,
    side: 'provider',
    kind: object.of === 'event' ? 'other' : object.of,
    status: 'other',
    occurredAt: object.createdAt ?? EPOCH,
    providerRef: object.id,
    parentRef: object.of === 'charge' ? object.paymentIntentId : null,
    data: { rawStatus: 'unreadable', unreadable: object.reason, modeMix: object.otherMode },
  }
  return {
    ...staged(reading.version, content, tagAliases(object)),
    occurredAt: object.createdAt ?? reading.at ?? EPOCH,
  }
}

/** Stands for a time that is not known: the time of reading would make another object of it each time. */
const EPOCH = new Date(0)

/** The provider was asked for this id and has none. */
export function absentObject(
  kind: Exclude<ProviderRecordKind, 'payment'>,
  id: string,
  reading: Reading,
): StagedObject {
  const content: Content = {
    ...EMPTY,
    objectId: id,
    side: 'provider',
    kind,
    status: 'absent',
    occurredAt: reading.at ?? EPOCH,
    providerRef: id,
    data: { modeMix: false },
  }
  // Asked again and again it is the same absence: the time of asking is no content.
  const { occurredAt: _, ...lasting } = content
  return {
    ...staged(reading.version, content, [alias.provider(id)]),
    observedAt: reading.at,
    contentHash: createHash('sha256').update(canonicalJson(lasting)).digest('hex').slice(0, 32),
  }
}
