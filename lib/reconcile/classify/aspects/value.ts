import type { CaseClass } from '@/lib/core/case-classes'
import { type Rule, ruleFor, tolerates } from '@/lib/reconcile/rules/rules'
import { refundPostings } from '../claims'
import { chargeFacts, postingFacts, refundFacts } from '../evidence'
import type { Draft } from '../finding'
import type { Charge, Operation, Posting, Refund } from '../operation'
import { latest, referenceOf, type Unit } from '../units'
import { isPostingOf } from './existence-effect'
import { isDoubled } from './ledger'

/** Amount and currency of what matches by id. Split postings are added up. */
export function value(
  operation: Operation,
  units: readonly Unit[],
  duplicates: ReadonlySet<string>,
  rules: readonly Rule[],
): Draft[] {
  const drafts: (Draft | null)[] = []
  for (const charge of operation.charges) {
    // Of what was only authorised nothing is to be booked yet.
    if (charge.status !== 'succeeded' || charge.capturedMinor === 0n || duplicates.has(charge.id)) continue
    const unit = units.find(({ charges }) => charges.includes(charge))
    const postings = operation.postings.filter((posting) => isPostingOf(posting, charge))
    const subject = { scope: unit?.scope ?? charge.scope, key: unit?.key ?? charge.key }
    const draft = compare(operation, subject, charge, charge.capturedMinor, postings, rules)
    drafts.push(draft ?? feeVariance(operation, subject, charge, rules))
  }
  for (const refund of operation.refunds) {
    if (refund.status !== 'succeeded') continue
    const postings = refundPostings(operation, refund.id)
    drafts.push(compare(operation, refund, refund, refund.amountMinor, postings, rules))
  }
  return drafts.filter((draft) => draft !== null)
}

function compare(
  operation: Operation,
  subject: { scope: string | null; key: string | null },
  object: Charge | Refund,
  expectedMinor: bigint,
  postings: Posting[],
  rules: readonly Rule[],
): Draft | null {
  if (postings.length === 0 || isDoubled(postings, expectedMinor)) return null
  const bookedMinor = postings.reduce((total, { amountMinor }) => total + amountMinor, 0n)
  const name = classOf(object, expectedMinor, bookedMinor, postings)
  if (name === null) return null
  const rule = ruleFor(rules, 'amount', {
    class: name,
    currency: object.currency,
    scope: subject.scope,
    kind: 'captured' in object ? 'charge' : 'refund',
  })
  if (name !== 'currency_mismatch' && tolerates(rule, expectedMinor, bookedMinor)) return null
  return {
    aspect: 'value',
    objectId: object.id,
    class: name,
    // Postings may still be added to what is booked so far.
    since: latest(movedAt(object), ...postings.map(({ bookedAt }) => bookedAt)),
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

const movedAt = (object: Charge | Refund): Date =>
  latest(object.createdAt, 'takenAt' in object ? object.takenAt : null)

/** Postings of the charge's fee, reversed ones among them. */
export const isFeeOf = ({ kind, providerRef, chargeRef }: Posting, chargeId: string): boolean =>
  kind === 'fee' && (providerRef === chargeId || chargeRef === chargeId)

/** The fee as it was booked, against what the provider kept. Where none was ever booked there is nothing to compare. */
function feeVariance(
  operation: Operation,
  subject: { scope: string | null; key: string | null },
  charge: Charge,
  rules: readonly Rule[],
): Draft | null {
  const fees = operation.postings.filter((posting) => isFeeOf(posting, charge.id))
  const live = fees.filter(({ reversed }) => !reversed)
  const bookedMinor = live.reduce((total, { amountMinor }) => total + amountMinor, 0n)
  if (charge.feeMinor === null || fees.length === 0 || bookedMinor === charge.feeMinor) return null
  const about = {
    class: 'fee_variance',
    currency: charge.currency,
    scope: subject.scope,
    kind: 'charge',
  } as const
  if (tolerates(ruleFor(rules, 'amount', about), charge.feeMinor, bookedMinor)) return null
  return {
    aspect: 'value',
    objectId: charge.id,
    class: 'fee_variance',
    since: latest(movedAt(charge), ...fees.map(({ bookedAt }) => bookedAt)),
    subject: {
      scope: subject.scope,
      key: subject.key,
      effectIds: [charge.id],
      reference: charge.reference ?? referenceOf(operation, null),
    },
    amount: { minor: charge.feeMinor, currency: charge.currency },
    evidence: {
      booked: { minor: bookedMinor.toString(), currency: charge.currency },
      expected: { minor: charge.feeMinor.toString(), currency: charge.currency },
      balanceTransaction: charge.feeRef,
      sides: { intent: [], provider: [chargeFacts(charge)], ledger: fees.map(postingFacts) },
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
