import { sidesOf } from '../evidence'
import type { Draft } from '../finding'
import type { Operation } from '../operation'
import { currentLife, isOpen, referenceOf, type Unit } from '../units'

/** Unfinished, and older than its tier keeps records. Collection refuses it; what is called stuck is told there. */
export function retention(operation: Operation, units: readonly Unit[], stuck: ReadonlySet<Unit>): Draft[] {
  return units.flatMap((unit) => {
    const life = currentLife(unit)
    if (life === undefined || !isOpen(life) || !life.overdue || stuck.has(unit)) return []
    return [
      {
        aspect: 'retention' as const,
        objectId: unit.id,
        class: 'reaped_unfinished' as const,
        since: life.leaseUntil ?? life.acquiredAt,
        subject: { scope: unit.scope, key: unit.key, effectIds: [], reference: referenceOf(operation, unit) },
        amount: null,
        evidence: { sides: sidesOf(operation, unit) },
      },
    ]
  })
}
