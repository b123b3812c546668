import type { Operation, Posting, Refund } from '../operation'
import { chargeFacts, postingFacts, refundFacts, sidesOf } from './evidence'
import { isPostingOf } from './existence-effect'
import type { ClassifyContext, Draft } from './finding'
import { refundPostings } from './ledger'
import { currentLife, latest, namedBy, referenceOf, toldSuccess, type Unit } from './units'

/** Each refund on its own. `stuck` units are left out: completing the key is what their refund waits for. */
export function refunds(
  operation: Operation,
  units: readonly Unit[],
  context: { surplus: ReadonlySet<string>; stuck: ReadonlySet<Unit>; ctx: ClassifyContext },
): Draft[] {
  const { surplus, stuck, ctx } = context
  const drafts: (Draft | null)[] = overRefunds(operation)
  const over = new Set(drafts.map((draft) => draft?.objectId))
  for (const refund of operation.refunds) {
    if (surplus.has(refund.id) || over.has(refund.id)) continue
    const unit = units.find((each) => each.refunds.includes(refund))
    if (unit !== undefined && stuck.has(unit)) continue
    drafts.push(ofRefund(operation, refund, unit, ctx))
  }
  return [...drafts.filter((draft) => draft !== null), ...unsent(operation, ctx)]
}

/** More given back than taken: told of the refund that went over. */
function overRefunds(operation: Operation): Draft[] {
  return operation.charges.flatMap((charge) => {
    const live = operation.refunds.filter(
      ({ chargeId, status }) => chargeId === charge.id && (status === 'succeeded' || status === 'pending'),
    )
    const sum = live.reduce((total, { amountMinor }) => total + amountMinor, 0n)
    const last = live.at(-1)
    if (last === undefined || charge.status !== 'succeeded' || sum <= charge.capturedMinor) return []
    return [
      {
        ...draftOf(operation, last, 'over_refund', null, live),
        amount: { minor: sum - charge.capturedMinor, currency: charge.currency },
        evidence: {
          sides: { intent: [], provider: [chargeFacts(charge), ...live.map(refundFacts)], ledger: [] },
        },
      },
    ]
  })
}

function ofRefund(
  operation: Operation,
  refund: Refund,
  unit: Unit | undefined,
  ctx: ClassifyContext,
): Draft | null {
  const life = unit === undefined ? undefined : currentLife(unit)
  const postings = refundPostings(operation, refund.id)
  if (refund.status === 'failed' || refund.status === 'canceled') {
    // Nobody was told that it happened, and it did not.
    if (postings.length === 0 && !toldSuccess(life) && refund.actionId === null) return null
    if (wasSentAgain(operation, refund.chargeId, refund.amountMinor, refund.createdAt)) return null
    return draftOf(operation, refund, 'refund_failed', null, [refund], unit)
  }
  const unbooked = refund.status === 'succeeded' && postings.length === 0 && ctx.sides.ledger !== 'none'
  // Our own corrections give back what was surplus: no booking of the service's is missing.
  if (!unbooked || refund.actionId !== null) return null
  // Of a charge that is not booked itself, nothing has to be taken back in the books.
  const charge = operation.charges.find(({ id }) => id === refund.chargeId)
  if (charge !== undefined && !operation.postings.some((posting) => isPostingOf(posting, charge))) return null
  return {
    ...draftOf(
      operation,
      refund,
      'refund_unbooked',
      latest(refund.createdAt, life?.completedAt),
      [refund],
      unit,
    ),
    lookUps: [{ kind: 'ledger', ref: refund.id }],
    waiting: ctx.sides.ledger === 'incomplete',
  }
}

/** A correction of ours has given back at least as much of the charge since. */
const wasSentAgain = (operation: Operation, chargeId: string | null, amountMinor: bigint, since: Date) =>
  chargeId !== null &&
  operation.refunds.some(
    (each) =>
      each.actionId !== null &&
      each.chargeId === chargeId &&
      each.amountMinor >= amountMinor &&
      each.createdAt >= since &&
      (each.status === 'succeeded' || each.status === 'pending'),
  )

/** Booked as given back, but the provider never heard of it. */
function unsent(operation: Operation, ctx: ClassifyContext): Draft[] {
  const sent = new Set(operation.refunds.filter(({ status }) => status !== 'absent').map(({ id }) => id))
  return operation.postings
    .filter(({ kind, reversed }) => kind === 'refund' && !reversed)
    .filter(({ providerRef }) => providerRef === null || !sent.has(providerRef))
    .filter(
      ({ chargeRef, amountMinor, bookedAt }) => !wasSentAgain(operation, chargeRef, amountMinor, bookedAt),
    )
    .map((posting) => {
      const life = operation.lives.find(
        (each) => posting.providerRef !== null && namedBy(each).includes(posting.providerRef),
      )
      return {
        aspect: 'refund' as const,
        objectId: posting.providerRef ?? `e:${posting.entryId}`,
        class: 'refund_unsent' as const,
        since: posting.bookedAt,
        lookUps: posting.providerRef === null ? [] : [{ kind: 'refund' as const, id: posting.providerRef }],
        waiting: ctx.sides.provider !== 'complete',
        subject: subjectOf(operation, posting, life),
        amount: { minor: posting.amountMinor, currency: posting.currency },
        evidence: { sides: { intent: [], provider: [], ledger: [postingFacts(posting)] } },
      }
    })
}

const subjectOf = (
  operation: Operation,
  posting: Posting,
  life: { scope: string; key: string } | undefined,
) => ({
  scope: life?.scope ?? null,
  key: life?.key ?? null,
  effectIds: posting.providerRef === null ? [] : [posting.providerRef],
  reference: posting.reference ?? referenceOf(operation, null),
})

function draftOf(
  operation: Operation,
  refund: Refund,
  name: Draft['class'],
  since: Date | null,
  all: readonly Refund[],
  unit?: Unit,
): Draft {
  return {
    aspect: 'refund',
    objectId: refund.id,
    class: name,
    since,
    subject: {
      scope: unit?.scope ?? refund.scope,
      key: unit?.key ?? refund.key,
      effectIds: all.map(({ id }) => id),
      reference: refund.reference ?? referenceOf(operation, unit ?? null),
    },
    amount: { minor: refund.amountMinor, currency: refund.currency },
    evidence: {
      sides: sidesOf(operation, { lives: unit?.lives ?? [], charges: [], refunds: [refund] }),
    },
  }
}
