import { createHash } from 'node:crypto'
import { canonicalJson } from '@/lib/core/canonical-json'
import type {
  ProviderCharge,
  ProviderDispute,
  ProviderPayment,
  ProviderRecord,
  ProviderRefund,
} from '../contracts'
import { keyHash } from '../key-hash'
import { alias, type Content, EMPTY, type StagedObject, staged, versionAt } from './object'

export function providerObject(
  object: ProviderRecord,
  observedAt: Date,
  mode: 'live' | 'test',
  secret: string,
): StagedObject {
  if (object.kind === 'charge') return chargeObject(object, observedAt, mode, secret)
  if (object.kind === 'payment') return paymentObject(object, observedAt, mode, secret)
  return partObject(object, observedAt, mode, secret)
}

const tagged = (object: ProviderRecord, secret: string) => ({
  scope: object.scope,
  key: object.key,
  keyHash: object.key === null ? null : keyHash(secret, object.key),
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

function chargeObject(
  charge: ProviderCharge,
  observedAt: Date,
  mode: 'live' | 'test',
  secret: string,
): StagedObject {
  const content: Content = {
    ...EMPTY,
    ...tagged(charge, secret),
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
      taggedBy: charge.taggedBy,
      customer: charge.customer,
      modeMix: charge.live !== (mode === 'live'),
    },
  }
  const object = staged(versionAt(observedAt), content, tagAliases(charge))
  // Events show a charge without its fee: it is kept, but makes no other charge of it.
  return { ...object, data: { ...object.data, feeMinor: charge.feeMinor, feeRef: charge.feeRef } }
}

/** Ties the ids that a service may keep for a payment to the charges that were made under it. */
function paymentObject(
  payment: ProviderPayment,
  observedAt: Date,
  mode: 'live' | 'test',
  secret: string,
): StagedObject {
  const content: Content = {
    ...EMPTY,
    ...tagged(payment, secret),
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
      modeMix: payment.live !== (mode === 'live'),
    },
  }
  return staged(versionAt(observedAt), content, [
    ...tagAliases(payment),
    ...payment.memberIds.map(alias.provider),
  ])
}

/** A refund or a dispute: a part of its charge, given back or taken back. */
function partObject(
  part: ProviderRefund | ProviderDispute,
  observedAt: Date,
  mode: 'live' | 'test',
  secret: string,
): StagedObject {
  const content: Content = {
    ...EMPTY,
    ...tagged(part, secret),
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
      modeMix: part.live !== null && part.live !== (mode === 'live'),
    },
  }
  return staged(versionAt(observedAt), content, [
    ...tagAliases(part),
    part.chargeId === null ? null : alias.provider(part.chargeId),
  ])
}

/** The provider was asked for this id and has none. */
export function absentObject(
  kind: 'charge' | 'refund' | 'dispute',
  id: string,
  observedAt: Date,
): StagedObject {
  const content: Content = {
    ...EMPTY,
    objectId: id,
    side: 'provider',
    kind,
    status: 'absent',
    occurredAt: observedAt,
    providerRef: id,
    data: { modeMix: false },
  }
  // Asked again and again it is the same absence: the time of asking is no content.
  const { occurredAt: _, ...lasting } = content
  return {
    ...staged(versionAt(observedAt), content, [alias.provider(id)]),
    contentHash: createHash('sha256').update(canonicalJson(lasting)).digest('hex').slice(0, 32),
  }
}
