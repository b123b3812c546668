import { refundPostings } from '../claims'
import { chargeFacts, postingFacts, refundFacts } from '../evidence'
import type { ClassifyContext, Draft } from '../finding'
import type { Operation, Posting } from '../operation'
import { namedBy, referenceOf, type Unit } from '../units'
import { isPostingOf } from './existence-effect'

/**
 * Postings that no provider object stands behind. Those of a unit whose own charge failed or is absent are told by its
 * existence; here are the ones that lead nowhere. One whose id no provider knows the kind of is not called absent: what
 * it was booked for has to be mapped.
 */
export function phantoms(operation: Operation, units: readonly Unit[], ctx: ClassifyContext): Draft[] {
  const known = new Set(
    operation.charges.filter(({ status }) => status !== 'absent').flatMap(({ names }) => names),
  )
  const told = new Set(units.flatMap(({ lives }) => lives.flatMap(namedBy)))
  return operation.postings
    .filter(({ kind, reversed }) => kind === 'charge' && !reversed)
    .filter(({ providerRef }) => providerRef === null || (!known.has(providerRef) && !told.has(providerRef)))
    .map(({ providerRef, ...posting }) => {
      const known = providerRef === null || ctx.canLookUp(providerRef)
      return {
        aspect: known ? ('existence' as const) : ('quarantine' as const),
        objectId: providerRef === null ? `e:${posting.entryId}` : `p:${providerRef}`,
        class: known ? ('phantom_ledger' as const) : ('unclassified' as const),
        since: posting.bookedAt,
        absentSince: posting.bookedAt,
        lookUps: providerRef !== null && known ? [{ kind: 'charge' as const, id: providerRef }] : [],
        waiting: ctx.sides.provider !== 'complete',
        subject: {
          scope: null,
          key: null,
          effectIds: providerRef === null ? [] : [providerRef],
          reference: posting.reference ?? referenceOf(operation, null),
        },
        amount: { minor: posting.amountMinor, currency: posting.currency },
        evidence: {
          sides: { intent: [], provider: [], ledger: [postingFacts({ ...posting, providerRef })] },
        },
      }
    })
}

/** The postings of one provider id that are one booking too many; split postings that add up are none. */
export function isDoubled(postings: readonly Posting[], expectedMinor: bigint): boolean {
  if (postings.length < 2 || expectedMinor <= 0n) return false
  const sum = postings.reduce((total, { amountMinor }) => total + amountMinor, 0n)
  if (sum <= expectedMinor) return false
  return postings.some(({ amountMinor }) => amountMinor === expectedMinor) || sum % expectedMinor === 0n
}

export function duplicateLedger(operation: Operation, units: readonly Unit[]): Draft[] {
  const drafts: Draft[] = []
  const add = (
    object: { id: string; scope: string | null; key: string | null; currency: string },
    expectedMinor: bigint,
    postings: Posting[],
    provider: unknown,
  ) => {
    if (!isDoubled(postings, expectedMinor)) return
    drafts.push({
      aspect: 'ledger',
      objectId: object.id,
      class: 'duplicate_ledger',
      since: null,
      subject: {
        scope: object.scope,
        key: object.key,
        effectIds: [object.id],
        reference: referenceOf(operation, null),
      },
      amount: { minor: expectedMinor, currency: object.currency },
      evidence: { sides: { intent: [], provider: [provider], ledger: postings.map(postingFacts) } },
    })
  }
  for (const charge of operation.charges.filter(({ status }) => status === 'succeeded')) {
    const unit = units.find(({ charges }) => charges.includes(charge))
    const expected = charge.capturedMinor > 0n ? charge.capturedMinor : charge.amountMinor
    const postings = operation.postings.filter((posting) => isPostingOf(posting, charge))
    add(
      { ...charge, scope: unit?.scope ?? null, key: unit?.key ?? null },
      expected,
      postings,
      chargeFacts(charge),
    )
  }
  for (const refund of operation.refunds.filter(({ status }) => status === 'succeeded')) {
    const postings = refundPostings(operation, refund.id)
    add(refund, refund.amountMinor, postings, refundFacts(refund))
  }
  return drafts
}
