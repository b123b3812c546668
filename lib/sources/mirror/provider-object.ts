import { createHash } from 'node:crypto'
import { canonicalJson } from '@/lib/core/canonical-json'
import type { ProviderCharge, ProviderObject, ProviderRefund } from '../contracts'
import { keyHash } from '../key-hash'
import { alias, type Content, EMPTY, type StagedObject, staged, versionAt } from './object'

export function providerObject(
  object: ProviderObject,
  observedAt: Date,
  mode: 'live' | 'test',
  secret: string,
): StagedObject {
  return object.kind === 'charge'
    ? chargeObject(object, observedAt, mode, secret)
    : refundObject(object, observedAt, mode, secret)
}

const tagged = (object: ProviderObject, secret: string) => ({
  scope: object.scope,
  key: object.key,
  keyHash: object.key === null ? null : keyHash(secret, object.key),
  step: object.step,
  reference: object.reference,
  actionId: object.actionId,
})

const tagAliases = (object: ProviderObject): (string | null)[] => [
  alias.provider(object.id),
  object.paymentIntentId === null ? null : alias.provider(object.paymentIntentId),
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
      customer: charge.customer,
      modeMix: charge.live !== (mode === 'live'),
    },
  }
  return staged(versionAt(observedAt), content, tagAliases(charge))
}

function refundObject(
  refund: ProviderRefund,
  observedAt: Date,
  mode: 'live' | 'test',
  secret: string,
): StagedObject {
  const content: Content = {
    ...EMPTY,
    ...tagged(refund, secret),
    objectId: refund.id,
    side: 'provider',
    kind: 'refund',
    status: refund.status,
    occurredAt: refund.createdAt,
    amountMinor: refund.amountMinor,
    currency: refund.currency,
    providerRef: refund.id,
    parentRef: refund.chargeId,
    data: {
      rawStatus: refund.rawStatus,
      modeMix: refund.live !== null && refund.live !== (mode === 'live'),
    },
  }
  return staged(versionAt(observedAt), content, [
    ...tagAliases(refund),
    refund.chargeId === null ? null : alias.provider(refund.chargeId),
  ])
}

/** The provider was asked for this id and has none. */
export function absentObject(kind: 'charge' | 'refund', id: string, observedAt: Date): StagedObject {
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
