import type { Operation } from '../operation'
import { chargeFacts, postingFacts, refundFacts } from './evidence'
import type { Draft } from './finding'
import { referenceOf } from './units'

/** Objects that must not be judged by the rules below: of another mode, or of a status nobody mapped. */
export function quarantine(operation: Operation): Draft[] {
  const reference = referenceOf(operation, null)
  const drafts: Draft[] = []
  for (const object of [...operation.charges, ...operation.refunds, ...operation.disputes]) {
    if (!object.modeMix && object.status !== 'other') continue
    drafts.push({
      aspect: 'quarantine',
      objectId: object.id,
      class: object.modeMix ? 'mode_mix' : 'unclassified',
      since: null,
      subject: { scope: object.scope, key: object.key, effectIds: [object.id], reference },
      amount: { minor: object.amountMinor, currency: object.currency },
      evidence: {
        rawStatus: object.rawStatus,
        provider: ['captured' in object ? chargeFacts(object) : refundFacts(object)],
      },
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
      amount: { minor: posting.amountMinor, currency: posting.currency },
      evidence: { rawKind: posting.rawKind, ledger: [postingFacts(posting)] },
    })
  }
  return drafts
}
