import type { Charge, Life, Operation, Refund } from './operation'

/**
 * What one key did within an operation: its lives, and the provider objects made under it. A provider object without a
 * key belongs to the life that names it, else it stands alone.
 */
export type Unit = {
  /** Stable from the first sight of the key on: the object id of its existence. */
  id: string
  kind: 'charge' | 'capture' | 'refund' | 'other'
  scope: string | null
  key: string | null
  lives: Life[]
  charges: Charge[]
  refunds: Refund[]
}

const keyId = (scope: string, key: string): string => `k:${scope}\u001f${key}`

export function unitsOf(operation: Operation): Unit[] {
  const units = new Map<string, Unit>()
  const unit = (id: string, scope: string | null, key: string | null): Unit => {
    const found = units.get(id) ?? { id, kind: 'other', scope, key, lives: [], charges: [], refunds: [] }
    units.set(id, found)
    return found
  }
  for (const life of operation.lives) unit(keyId(life.scope, life.key), life.scope, life.key).lives.push(life)
  const home = (object: Charge | Refund): Unit => {
    if (object.scope !== null && object.key !== null) {
      return unit(keyId(object.scope, object.key), object.scope, object.key)
    }
    const names = 'names' in object ? object.names : [object.id]
    const life = operation.lives.find((each) => names.some((id) => makes(each, id)))
    return life === undefined
      ? unit(`p:${object.id}`, object.scope, object.key)
      : unit(keyId(life.scope, life.key), life.scope, life.key)
  }
  for (const charge of operation.charges) home(charge).charges.push(charge)
  // Our own corrections are nobody's operation.
  for (const refund of operation.refunds) if (refund.actionId === null) home(refund).refunds.push(refund)
  for (const each of units.values()) each.kind = kindOf(each)
  return [...units.values()]
}

export const isRole = (
  role: 'charge' | 'capture' | 'refund',
  effect: { name: string; step: string },
): boolean => effect.name.endsWith(`.${role}`) || effect.step === role

/** A life that made it, rather than captured it or refunded it. */
function makes(life: Life, id: string): boolean {
  const effect = life.effects.find(({ reference }) => reference === id)
  if (effect !== undefined) return !isRole('capture', effect)
  return (
    !life.effects.some((each) => isRole('capture', each) || isRole('refund', each)) && life.names.includes(id)
  )
}

function kindOf(unit: Unit): Unit['kind'] {
  if (unit.charges.length > 0) return 'charge'
  if (unit.refunds.length > 0) return 'refund'
  const effects = unit.lives.flatMap((life) => life.effects)
  if (effects.some((effect) => isRole('refund', effect))) return 'refund'
  if (effects.some((effect) => isRole('capture', effect))) return 'capture'
  return effects.some((effect) => isRole('charge', effect)) ? 'charge' : 'other'
}

export const isOpen = (life: Life): boolean =>
  life.status === 'leased' || life.status === 'retryable' || life.status === 'unknown'

/** The life that counts: the last one that did not vanish. */
export const currentLife = (unit: Unit): Life | undefined => unit.lives.findLast((life) => !life.gone)

/** A stored success. A library that keeps no status keeps only successes. */
export const toldSuccess = (life: Life | undefined): life is Life =>
  life !== undefined && life.status === 'completed' && (life.httpStatus === null || life.httpStatus < 300)

export const toldFailure = (life: Life | undefined): life is Life =>
  life !== undefined &&
  (life.status === 'failed_final' || (life.status === 'completed' && (life.httpStatus ?? 0) >= 400))

/** Provider ids that a stored response or its effects name. */
export const namedBy = (life: Life): string[] => [
  ...life.names,
  ...life.effects.flatMap(({ reference }) => reference ?? []),
]

/** The business reference, from whoever knows it. */
export const referenceOf = (operation: Operation, unit: Unit | null): string | null =>
  [
    ...(unit?.charges ?? []),
    ...(unit?.lives ?? []),
    ...(unit?.refunds ?? []),
    ...operation.charges,
    ...operation.postings,
    ...operation.lives,
  ].find(({ reference }) => reference !== null)?.reference ?? null

export const isFullyRefunded = (charge: Charge): boolean =>
  charge.capturedMinor > 0n && charge.refundedMinor >= charge.capturedMinor

/** An authorisation that was given up before any of it was captured: no money ever moved, and none will. */
export const isReleased = (charge: Charge): boolean =>
  charge.capturedMinor === 0n && charge.releasedMinor > 0n

export const latest = (...times: (Date | null | undefined)[]): Date =>
  new Date(Math.max(0, ...times.map((time) => time?.getTime() ?? 0)))
