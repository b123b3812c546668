import type { CaseClass } from '@/lib/core/case-classes'
import type { Charge, Operation, Posting, Refund } from '../operation'
import { chargeFacts, postingFacts, refundFacts } from './evidence'
import { isPostingOf } from './existence-effect'
import type { Draft } from './finding'
import { isDoubled, refundPostings } from './ledger'
import { latest, referenceOf, type Unit } from './units'

/** Amount and currency of what matches by id. Split postings are added up. */
export function value(operation: Operation, units: readonly Unit[], surplus: ReadonlySet<string>): Draft[] {
  const drafts: (Draft | null)[] = []
  for (const charge of operation.charges) {
    if (charge.status !== 'succeeded' || surplus.has(charge.id)) continue
    const unit = units.find(({ charges }) => charges.includes(charge))
    const postings = operation.postings.filter((posting) => isPostingOf(posting, charge))
    const subject = { scope: unit?.scope ?? charge.scope, key: unit?.key ?? charge.key }
    drafts.push(compare(operation, subject, charge, charge.capturedMinor, postings))
  }
  for (const refund of operation.refunds) {
    if (refund.status !== 'succeeded') continue
    drafts.push(compare(operation, refund, refund, refund.amountMinor, refundPostings(operation, refund.id)))
  }
  return drafts.filter((draft) => draft !== null)
}

function compare(
  operation: Operation,
  subject: { scope: string | null; key: string | null },
  object: Charge | Refund,
  expectedMinor: bigint,
  postings: Posting[],
): Draft | null {
  if (postings.length === 0 || isDoubled(postings, expectedMinor)) return null
  const bookedMinor = postings.reduce((total, { amountMinor }) => total + amountMinor, 0n)
  const name = classOf(object, expectedMinor, bookedMinor, postings)
  if (name === null) return null
  return {
    aspect: 'value',
    objectId: object.id,
    class: name,
    // Postings may still be added to what is booked so far.
    since: latest(object.createdAt, ...postings.map(({ bookedAt }) => bookedAt)),
    subject: {
      scope: subject.scope,
      key: subject.key,
      effectIds: [object.id],
      reference: object.reference ?? referenceOf(operation, null),
    },
    amount: { minor: expectedMinor, currency: object.currency },
    evidence: {
      booked: { minor: bookedMinor.toString(), currency: postings[0]?.currency ?? object.currency },
      expected: { minor: expectedMinor.toString(), currency: object.currency },
      suspectedExponent: name === 'amount_mismatch' ? suspectedExponent(expectedMinor, bookedMinor) : null,
      sides: {
        intent: [],
        provider: ['captured' in object ? chargeFacts(object) : refundFacts(object)],
        ledger: postings.map(postingFacts),
      },
    },
  }
}

function classOf(
  object: Charge | Refund,
  expectedMinor: bigint,
  bookedMinor: bigint,
  postings: readonly Posting[],
): CaseClass | null {
  if (postings.some(({ currency }) => currency !== object.currency)) return 'currency_mismatch'
  if (bookedMinor === expectedMinor) return null
  // The authorised amount was booked though less was captured: that has a name of its own.
  const partly = 'captured' in object && expectedMinor > 0n && expectedMinor < object.amountMinor
  return partly && bookedMinor === object.amountMinor ? 'partial_capture' : 'amount_mismatch'
}

/** 1, 2 or 3 when the two differ by exactly that many decimal places: a currency's exponent gone wrong. */
function suspectedExponent(a: bigint, b: bigint): number | null {
  for (const exponent of [1, 2, 3]) {
    const factor = 10n ** BigInt(exponent)
    if ((a !== 0n && a * factor === b) || (b !== 0n && b * factor === a)) return exponent
  }
  return null
}
