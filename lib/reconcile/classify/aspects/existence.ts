import { keyLookUp, lastBegun, negativeRead } from '../absence'
import { sidesOf } from '../evidence'
import type { ClassifyContext, Draft } from '../finding'
import type { Life, Operation } from '../operation'
import { isFullyRefunded, isReleased, isRole, latest, referenceOf, type Unit } from '../units'
import { existenceOfEffect } from './existence-effect'

export type Existence = { draft: Draft | null; recheckAt: Date | null; stuck: boolean }

const NOTHING: Existence = { draft: null, recheckAt: null, stuck: false }

/** Whether what the caller was told about exists, once and on every side. One answer for each key. */
export function existence(
  operation: Operation,
  unit: Unit,
  duplicates: ReadonlySet<string>,
  ctx: ClassifyContext,
): Existence {
  const life = unit.lives.findLast((each) => !each.gone)
  if (life?.status === 'leased' && !isDead(life, ctx)) return { ...NOTHING, recheckAt: deadAt(life, ctx) }
  if (life?.status === 'leased' || life?.status === 'unknown' || life?.status === 'retryable') {
    return stuck(operation, unit, life, duplicates, ctx)
  }
  return { ...NOTHING, draft: existenceOfEffect(operation, unit, life, duplicates, ctx) }
}

const deadAt = (life: Life, ctx: ClassifyContext): Date =>
  new Date((life.leaseUntil?.getTime() ?? 0) + ctx.leaseGraceMs)

/** By the store's own clock, as it stood when the lease was read. */
const isDead = (life: Life, ctx: ClassifyContext): boolean =>
  life.observedAt !== null && deadAt(life, ctx) <= life.observedAt

/** A key that has not ended and that nobody holds: what did its holder leave behind? */
function stuck(
  operation: Operation,
  unit: Unit,
  life: Life,
  duplicates: ReadonlySet<string>,
  ctx: ClassifyContext,
): Existence {
  const made = effectsOf(operation, unit, life).filter(({ id }) => !duplicates.has(id))
  const done = made.filter(({ undone }) => !undone)
  const told = done.length > 0 ? done : made
  const draft = (name: Draft['class'], extra: Partial<Draft>): Draft => ({
    aspect: 'existence',
    objectId: unit.id,
    class: name,
    since: latest(life.leaseUntil, ...told.map(({ at }) => at)),
    subject: {
      scope: unit.scope,
      key: unit.key,
      effectIds: told.map(({ id }) => id),
      reference: referenceOf(operation, unit),
    },
    amount: told[0]?.amount ?? amountOf(life),
    lookUps: keyLookUp(unit),
    evidence: { sides: sidesOf(operation, unit) },
    ...extra,
  })
  if (done.length > 0) return { ...NOTHING, stuck: true, draft: draft('stuck_effect_done', {}) }
  // A retry may take it at any time, and there is nothing to settle.
  if (life.status === 'retryable') return NOTHING
  // What was made and undone since is neither done nor absent.
  if (made.length > 0 || mayBeUnlisted(unit, life) || ctx.sides.provider !== 'complete') {
    return { ...NOTHING, stuck: true, draft: draft('stuck_unknown', {}) }
  }
  if (negativeRead(life, ctx))
    return { ...NOTHING, stuck: true, draft: draft('stuck_no_effect', { absentSince: lastBegun(life) }) }
  // Not listed that far yet, which the next staging mends, or older than the listing, which only a person can.
  const listed =
    ctx.coverage !== null && ctx.coverage.from.getTime() <= life.acquiredAt.getTime() - ctx.clockSkewMs
  return { ...NOTHING, stuck: true, draft: draft('stuck_unknown', { waiting: listed }) }
}

/** What a listing of charges and refunds cannot show: a capture, or another effect than these, such as a mail. */
const mayBeUnlisted = ({ kind }: Unit, { effects }: Life): boolean =>
  kind === 'capture' ||
  effects.some(
    (effect) => effect.state !== 'failed' && !isRole('charge', effect) && !isRole('refund', effect),
  )

/** What the provider has of this key: objects that carry it, and for a capture the captured charge it names. */
function effectsOf(operation: Operation, unit: Unit, life: Life) {
  const own = [...unit.charges, ...unit.refunds].filter(
    ({ status }) => status === 'succeeded' || status === 'pending',
  )
  const captured =
    unit.kind === 'capture'
      ? operation.charges.filter(
          ({ captured, names }) =>
            captured && life.effects.some(({ reference }) => reference !== null && names.includes(reference)),
        )
      : []
  return [...own, ...captured].map((object) => ({
    id: object.id,
    at: object.createdAt,
    amount: { minor: object.amountMinor, currency: object.currency },
    undone: 'captured' in object && (isFullyRefunded(object) || isReleased(object)),
  }))
}

function amountOf(life: Life) {
  const effect = life.effects.find(({ amountMinor, currency }) => amountMinor !== null && currency !== null)
  return effect === undefined || effect.amountMinor === null || effect.currency === null
    ? null
    : { minor: effect.amountMinor, currency: effect.currency }
}
