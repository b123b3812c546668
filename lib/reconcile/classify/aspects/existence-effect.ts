import type { CaseClass } from '@/lib/core/case-classes'
import { keyLookUp, lastBegun, negativeRead } from '../absence'
import { sidesOf } from '../evidence'
import type { ClassifyContext, Draft, LookUp } from '../finding'
import type { Charge, Life, Operation, Posting } from '../operation'
import {
  isFullyRefunded,
  isReleased,
  isRole,
  latest,
  namedBy,
  referenceOf,
  toldFailure,
  toldSuccess,
  type Unit,
} from '../units'

/** A key that has ended, or that is in no store: do record, charge and posting agree that it happened? */
export function existenceOfEffect(
  operation: Operation,
  unit: Unit,
  life: Life | undefined,
  duplicates: ReadonlySet<string>,
  ctx: ClassifyContext,
): Draft | null {
  const charge = primaryCharge(operation, unit, duplicates)
  if (unit.charges.some(({ id }) => duplicates.has(id)) && charge === undefined) return null
  if (charge !== undefined) return ofCharge(operation, unit, life, charge, ctx)
  if (unit.kind === 'refund') return ofToldRefund(operation, unit, life, ctx)
  if (unit.kind === 'capture') return ofToldCapture(operation, unit, life)
  return ofToldCharge(operation, unit, life, ctx)
}

/**
 * Of several attempts on one key the one that succeeded counts, and of several that did, the one that was not given
 * back: a former duplicate is history.
 */
function primaryCharge(
  operation: Operation,
  unit: Unit,
  duplicates: ReadonlySet<string>,
): Charge | undefined {
  const charges = unit.charges.filter(({ id, status }) => status !== 'absent' && !duplicates.has(id))
  const made = charges.filter(({ status }) => status === 'succeeded' || status === 'pending')
  return (
    made.find((charge) => !isFullyRefunded(charge)) ??
    made.find((charge) => operation.postings.some((posting) => isPostingOf(posting, charge))) ??
    made[0] ??
    charges.at(-1)
  )
}

export const isPostingOf = (posting: Posting, charge: Charge): boolean =>
  posting.kind === 'charge' &&
  !posting.reversed &&
  posting.providerRef !== null &&
  charge.names.includes(posting.providerRef)

function ofCharge(
  operation: Operation,
  unit: Unit,
  life: Life | undefined,
  charge: Charge,
  ctx: ClassifyContext,
): Draft | null {
  const postings = operation.postings.filter((posting) => isPostingOf(posting, charge))
  const draft = (name: CaseClass, since: Date, lookUps: LookUp[] = []): Draft => ({
    aspect: 'existence',
    objectId: unit.id,
    class: name,
    since,
    lookUps,
    subject: {
      scope: unit.scope,
      key: unit.key,
      effectIds: [charge.id],
      reference: referenceOf(operation, unit),
    },
    amount: { minor: charge.amountMinor, currency: charge.currency },
    evidence: { sides: sidesOf(operation, { ...unit, charges: [charge] }) },
  })
  // Who books does so once the money was taken, which may be long after it was authorised.
  const told = latest(charge.createdAt, charge.takenAt, life?.completedAt)
  const booked = latest(told, ...postings.map(({ bookedAt }) => bookedAt))
  const ledgerLookUps = charge.names.map((ref): LookUp => ({ kind: 'ledger', ref }))
  switch (charge.status) {
    case 'failed':
    case 'canceled':
      // The failure may be old news of an old charge: its time is when we first saw it.
      if (postings.length > 0)
        return draft(toldSuccess(life) ? 'reversed_after_post' : 'phantom_ledger', charge.stagedAt)
      return toldSuccess(life) ? draft('done_but_no_effect', charge.stagedAt) : null
    case 'pending':
      return toldSuccess(life) || postings.length > 0 ? draft('status_lag', booked) : null
    case 'succeeded': {
      // Booked before it was captured, or though it never will be; without a posting nobody claims that money moved.
      if (charge.capturedMinor === 0n) {
        if (postings.length === 0) return null
        if (!isReleased(charge)) return draft('status_lag', booked)
        return draft(toldSuccess(life) ? 'reversed_after_post' : 'phantom_ledger', charge.stagedAt)
      }
      if (toldFailure(life)) return isFullyRefunded(charge) ? null : draft('failed_but_charged', told)
      const unbooked = postings.length === 0 && ctx.sides.ledger !== 'none'
      if (life === undefined) {
        if (postings.length > 0 || isFullyRefunded(charge)) return null
        const waiting = ctx.sides.intent !== 'complete' || ctx.sides.ledger === 'incomplete'
        return { ...draft('orphan_effect', told, [...ledgerLookUps, ...ownerLookUps(unit, charge)]), waiting }
      }
      if (!unbooked) return null
      return { ...draft('ledger_missing', told, ledgerLookUps), waiting: ctx.sides.ledger === 'incomplete' }
    }
    default:
      return null
  }
}

/** Who may know whose it is: the store its key, or where it carries none the payments that it was made under. */
const ownerLookUps = (unit: Unit, { paymentIntentId }: Charge): LookUp[] =>
  unit.key === null && paymentIntentId !== null
    ? [{ kind: 'payments', id: paymentIntentId }]
    : keyLookUp(unit)

/** The caller was told of a success; the provider has no charge of it. */
function ofToldCharge(
  operation: Operation,
  unit: Unit,
  life: Life | undefined,
  ctx: ClassifyContext,
): Draft | null {
  if (!toldSuccess(life)) return null
  const effects = life.effects.filter((effect) => effect.state !== 'failed' && isRole('charge', effect))
  // What cannot be looked up, such as an id of the service's own, says nothing of a charge: its key has to.
  const told = [
    ...new Set([...effects.flatMap(({ reference }) => reference ?? []), ...absentAmong(operation, life)]),
  ].filter((id) => isPresent(operation, id) || ctx.canLookUp(id))
  const named = told.filter((id) => !isPresent(operation, id))
  if (effects.length === 0 && named.length === 0) return null
  if (told.length > 0 && named.length === 0) return null
  const posted = operation.postings.some(
    ({ reversed, providerRef }) => !reversed && providerRef !== null && named.includes(providerRef),
  )
  // Nobody has paid yet, and still may: a customer who has to confirm, a bank that takes its time.
  const open = operation.payments.some(({ id, status }) => named.includes(id) && status === 'pending')
  return {
    aspect: 'existence',
    objectId: unit.id,
    class: open ? 'status_lag' : posted ? 'phantom_ledger' : 'done_but_no_effect',
    since: latest(life.completedAt, life.acquiredAt),
    // An id that the provider gave out says that its call had ended.
    ...(named.length === 0 ? { absentSince: lastBegun(life) } : {}),
    lookUps: named.map((id) => ({ kind: 'charge' as const, id })),
    waiting: ctx.sides.provider !== 'complete' || (named.length === 0 && !negativeRead(life, ctx)),
    subject: { scope: unit.scope, key: unit.key, effectIds: named, reference: referenceOf(operation, unit) },
    amount: amountIn(effects),
    evidence: { sides: sidesOf(operation, unit) },
  }
}

const absentAmong = (operation: Operation, life: Life): string[] =>
  namedBy(life).filter((id) =>
    operation.charges.some((charge) => charge.id === id && charge.status === 'absent'),
  )

/** A payment that succeeded without a charge asked for nothing, or was paid elsewhere. */
const isPresent = (operation: Operation, id: string): boolean =>
  operation.charges.some(({ names, status }) => status !== 'absent' && names.includes(id)) ||
  operation.payments.some((payment) => payment.id === id && payment.status === 'succeeded')

function ofToldRefund(
  operation: Operation,
  unit: Unit,
  life: Life | undefined,
  ctx: ClassifyContext,
): Draft | null {
  if (!toldSuccess(life) || unit.refunds.some(({ status }) => status !== 'absent')) return null
  const effects = life.effects.filter(
    (effect) =>
      isRole('refund', effect) &&
      !operation.refunds.some((r) => r.id === effect.reference && r.status !== 'absent'),
  )
  const ids = effects.flatMap(({ reference }) => reference ?? []).filter(ctx.canLookUp)
  if (ids.length === 0) return null
  return {
    aspect: 'existence',
    objectId: unit.id,
    class: 'done_but_no_effect',
    since: latest(life.completedAt, life.acquiredAt),
    lookUps: ids.map((id) => ({ kind: 'refund' as const, id })),
    waiting: ctx.sides.provider !== 'complete',
    subject: { scope: unit.scope, key: unit.key, effectIds: ids, reference: referenceOf(operation, unit) },
    amount: amountIn(effects),
    evidence: { sides: sidesOf(operation, unit) },
  }
}

/** The caller was told that a charge was captured; it is not. */
function ofToldCapture(operation: Operation, unit: Unit, life: Life | undefined): Draft | null {
  if (!toldSuccess(life)) return null
  const ids = life.effects.flatMap(({ reference }) => reference ?? [])
  const charge = operation.charges.find(
    ({ names, status }) => status === 'succeeded' && names.some((name) => ids.includes(name)),
  )
  if (charge === undefined || charge.captured) return null
  return {
    aspect: 'existence',
    objectId: unit.id,
    class: 'done_but_no_effect',
    since: latest(life.completedAt, life.acquiredAt),
    lookUps: [{ kind: 'charge', id: charge.id }],
    subject: {
      scope: unit.scope,
      key: unit.key,
      effectIds: [charge.id],
      reference: referenceOf(operation, unit),
    },
    amount: { minor: charge.amountMinor, currency: charge.currency },
    evidence: { sides: sidesOf(operation, { ...unit, charges: [charge] }) },
  }
}

function amountIn(effects: readonly Life['effects'][number][]) {
  const found = effects.find(({ amountMinor, currency }) => amountMinor !== null && currency !== null)
  return found === undefined || found.amountMinor === null || found.currency === null
    ? null
    : { minor: found.amountMinor, currency: found.currency }
}
