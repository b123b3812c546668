import { chargeFacts, postingFacts, refundFacts } from '../evidence'
import type { Draft } from '../finding'
import type { Charge, Dispute, Operation, Payment, Refund } from '../operation'
import { referenceOf } from '../units'

const factsOf = (object: Charge | Refund | Dispute | Payment) =>
  'captured' in object
    ? chargeFacts(object)
    : 'chargeId' in object
      ? refundFacts(object)
      : { source: object.sourceId, kind: 'payment', id: object.id, status: object.status }

/**
 * Objects that must not be classified by the rules below: of another mode, of a status nobody mapped, or that could not be
 * read.
 */
export function quarantine(operation: Operation): Draft[] {
  const reference = referenceOf(operation, null)
  const drafts: Draft[] = []
  const { charges, refunds, disputes, payments } = operation
  for (const object of [...charges, ...refunds, ...disputes, ...payments]) {
    if (!object.modeMix && object.status !== 'other') continue
    drafts.push({
      aspect: 'quarantine',
      objectId: object.id,
      class: object.modeMix ? 'mode_mix' : 'unclassified',
      since: null,
      subject: { scope: object.scope, key: object.key, effectIds: [object.id], reference },
      ...(object.unreadable === null
        ? {
            amount: { minor: object.amountMinor, currency: object.currency },
            evidence: { rawStatus: object.rawStatus, provider: [factsOf(object)] },
          }
        : {
            amount: null,
            evidence: {
              unreadable: object.unreadable,
              provider: [{ source: object.sourceId, id: object.id }],
            },
          }),
    })
  }
  for (const posting of operation.postings.filter(({ kind }) => kind === 'other')) {
    drafts.push({
      aspect: 'quarantine',
      objectId: `e:${posting.entryId}`,
      class: 'unclassified',
      since: null,
      subject: {
        scope: null,
        key: null,
        effectIds: posting.providerRef ? [posting.providerRef] : [],
        reference,
      },
      ...(posting.unreadable === undefined
        ? {
            amount: { minor: posting.amountMinor, currency: posting.currency },
            evidence: { rawKind: posting.rawKind, ledger: [postingFacts(posting)] },
          }
        : {
            amount: null,
            evidence: {
              unreadable: posting.unreadable,
              ledger: [{ source: posting.sourceId, entryId: posting.entryId }],
            },
          }),
    })
  }
  return drafts
}
