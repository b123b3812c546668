import type { CaseClass } from '@/lib/core/case-classes'
import { ruleFor } from '@/lib/reconcile/rules/rules'
import { chargeFacts, refundFacts, sidesOf } from '../evidence'
import type { ClassifyContext, Draft } from '../finding'
import type { Charge, Life, Operation, Refund } from '../operation'
import { isFullyRefunded, isReleased, namedBy, referenceOf, type Unit } from '../units'

type Effect = Charge | Refund

/** Findings, and the ids of the duplicate effects, which the other aspects leave out. */
export function uniqueness(
  operation: Operation,
  units: readonly Unit[],
  ctx: ClassifyContext,
): { drafts: Draft[]; duplicates: Set<string> } {
  const named = namesOf(operation)
  const drafts: Draft[] = []
  const duplicates = new Set<string>()
  const firsts: { unit: Unit; charge: Charge }[] = []
  for (const unit of units) {
    for (const effects of byStep(unit.charges.filter(isLiveCharge))) {
      const [first] = effects
      if (first !== undefined) firsts.push({ unit, charge: keeper(effects, named) ?? first })
      drafts.push(...onOneKey(operation, unit, effects, named, duplicates, ctx))
    }
    for (const effects of byStep(
      unit.refunds.filter(({ status }) => status === 'succeeded' || status === 'pending'),
    )) {
      drafts.push(...onOneKey(operation, unit, effects, named, duplicates, ctx))
    }
  }
  drafts.push(...onOneReference(operation, firsts, named, duplicates, ctx))
  return { drafts, duplicates }
}

/** A duplicate that was given back whole, or never taken, is no duplicate any more. */
const isLiveCharge = (charge: Charge): boolean =>
  (charge.status === 'succeeded' || charge.status === 'pending') &&
  !isFullyRefunded(charge) &&
  !isReleased(charge)

function byStep<E extends Effect>(effects: readonly E[]): E[][] {
  const steps = new Map<string, E[]>()
  for (const effect of effects) {
    const step = effect.step ?? ''
    steps.set(step, [...(steps.get(step) ?? []), effect])
  }
  return [...steps.values()]
}

type Names = { byRecord: ReadonlySet<string>; byLedger: ReadonlySet<string> }

function namesOf(operation: Operation): Names {
  return {
    byRecord: new Set(operation.lives.filter(({ status }) => status === 'completed').flatMap(namedBy)),
    byLedger: new Set(
      operation.postings.filter(({ reversed }) => !reversed).flatMap(({ providerRef }) => providerRef ?? []),
    ),
  }
}

const isNamed = (effect: Effect, named: Names): boolean =>
  namesOfEffect(effect).some((id) => named.byRecord.has(id) || named.byLedger.has(id))

const namesOfEffect = (effect: Effect): string[] => ('names' in effect ? effect.names : [effect.id])

/** The one effect that record or ledger name; undefined when they name none or several. */
function keeper<E extends Effect>(effects: readonly E[], named: Names): E | undefined {
  const kept = effects.filter((effect) => isNamed(effect, named))
  return kept.length === 1 ? kept[0] : undefined
}

/** Two or more effects of one step on one key: a break for each later one. */
function onOneKey(
  operation: Operation,
  unit: Unit,
  effects: readonly Effect[],
  named: Names,
  duplicates: Set<string>,
  ctx: ClassifyContext,
): Draft[] {
  const [first, ...later] = effects
  if (first === undefined || later.length === 0) return []
  const kept = keeper(effects, named) ?? first
  for (const effect of effects) if (effect !== kept) duplicates.add(effect.id)
  return later.map((effect) => ({
    aspect: 'uniqueness' as const,
    objectId: effect.id,
    class: ranAgainAfterExpiry(unit, first, effect, ctx) ? 'expired_key_retry' : 'duplicate_same_key',
    since: null,
    subject: {
      scope: unit.scope,
      key: unit.key,
      effectIds: effects.map(({ id }) => id),
      reference: referenceOf(operation, unit),
    },
    amount: { minor: effect.amountMinor, currency: effect.currency },
    evidence: { ...choice(effects, named), sides: sidesOf(operation, unit) },
  }))
}

/** Other keys, but the same business reference, amount and currency: each later one is a suspect. */
function onOneReference(
  operation: Operation,
  firsts: readonly { unit: Unit; charge: Charge }[],
  named: Names,
  duplicates: Set<string>,
  ctx: ClassifyContext,
): Draft[] {
  const groups = new Map<string, { unit: Unit; charge: Charge }[]>()
  for (const each of firsts) {
    const { reference, amountMinor, currency, status } = each.charge
    if (reference === null || status !== 'succeeded') continue
    const same = `${reference}\u001f${amountMinor}\u001f${currency}`
    groups.set(same, [...(groups.get(same) ?? []), each])
  }
  return [...groups.values()].flatMap((group) => {
    const ordered = closeTogether(inOrderOfMaking(operation, group), ctx)
    const effects = ordered.map(({ charge }) => charge)
    return ordered.slice(1).map(({ unit, charge }, place) => {
      duplicates.add(charge.id)
      return {
        aspect: 'uniqueness' as const,
        // Not the charge: when the store shows late which of two came first, the case stays the same one.
        objectId: `${charge.reference}#${place + 1}`,
        class: 'duplicate_semantic' as CaseClass,
        since: null,
        subject: {
          scope: unit.scope,
          key: unit.key,
          effectIds: effects.map(({ id }) => id),
          reference: charge.reference,
        },
        amount: { minor: charge.amountMinor, currency: charge.currency },
        evidence: {
          ...choice(effects, named),
          sides: sidesOf(operation, {
            lives: ordered.flatMap((each) => each.unit.lives),
            charges: effects,
            refunds: [],
          }),
        },
      }
    })
  })
}

/** Without a rule, one order is paid once however long ago. With one, what is far apart is another instalment. */
function closeTogether<E extends { unit: Unit; charge: Charge }>(ordered: E[], ctx: ClassifyContext): E[] {
  const [first] = ordered
  if (first === undefined) return ordered
  const { sameWithinMs } =
    ruleFor(ctx.rules, 'sameWithinMs', {
      class: 'duplicate_semantic',
      currency: first.charge.currency,
      scope: first.unit.scope,
      kind: 'charge',
    }) ?? {}
  if (sameWithinMs === undefined) return ordered
  return ordered.filter(
    ({ charge }, place) =>
      place === 0 ||
      charge.createdAt.getTime() - (ordered[place - 1]?.charge.createdAt.getTime() ?? 0) <= sameWithinMs,
  )
}

/** The provider's clock has seconds; within one, the keys' first acquires tell, and then the order of its listing. */
function inOrderOfMaking<E extends { unit: Unit; charge: Charge }>(
  operation: Operation,
  group: readonly E[],
): E[] {
  const acquiredMs = ({ unit }: E) => Math.min(...unit.lives.map(({ acquiredAt }) => acquiredAt.getTime()))
  const place = ({ charge }: E) => operation.charges.indexOf(charge)
  const compare = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0)
  return group.toSorted(
    (a, b) =>
      compare(a.charge.createdAt.getTime(), b.charge.createdAt.getTime()) ||
      compare(acquiredMs(a), acquiredMs(b)) ||
      compare(place(a), place(b)),
  )
}

/** The one to refund is the one that neither record nor ledger names; if that does not decide, a person does. */
function choice(effects: readonly Effect[], named: Names): Record<string, unknown> {
  const unnamed = effects.filter((effect) => !isNamed(effect, named))
  const decided = unnamed.length === effects.length - 1 && unnamed.length > 0
  return {
    effects: effects.map((effect) => ({
      ...('captured' in effect ? chargeFacts(effect) : refundFacts(effect)),
      namedByRecord: namesOfEffect(effect).some((id) => named.byRecord.has(id)),
      namedByLedger: namesOfEffect(effect).some((id) => named.byLedger.has(id)),
    })),
    refund: decided ? unnamed.map(({ id }) => id) : null,
    decision: decided
      ? 'neither record nor ledger names it'
      : 'record and ledger do not decide which one is the duplicate: a person must choose',
  }
}

function ranAgainAfterExpiry(unit: Unit, first: Effect, later: Effect, ctx: ClassifyContext): boolean {
  const before = lifeOf(unit, first, ctx)
  const after = lifeOf(unit, later, ctx)
  if (after === undefined || before === after) return false
  // An earlier life that is not known any more was collected, and only what expired is collected.
  if (before === undefined) return true
  return (
    before.expiresAt !== null && before.expiresAt.getTime() <= after.acquiredAt.getTime() + ctx.clockSkewMs
  )
}

/** The life under which an effect was made: the one that names it, else the last that had begun by then. */
function lifeOf(unit: Unit, effect: Effect, ctx: ClassifyContext): Life | undefined {
  const names = namesOfEffect(effect)
  const naming = unit.lives.filter((life) => namedBy(life).some((id) => names.includes(id)))
  if (naming.length > 0) return naming.at(-1)
  // A provider's second is rounded down.
  const latestMs = effect.createdAt.getTime() + 1000 + ctx.clockSkewMs
  return unit.lives.findLast((life) => life.acquiredAt.getTime() <= latestMs)
}
