import { lifeFacts } from '../evidence'
import type { Draft } from '../finding'
import type { Operation } from '../operation'
import { namedBy, referenceOf, type Unit } from '../units'

/** The same key came with another body and was refused: the client builds its keys wrongly. */
export function usage(operation: Operation, units: readonly Unit[]): Draft[] {
  return operation.mismatches.map((mismatch) => {
    const unit = units.find(({ scope, key }) => scope === mismatch.scope && key === mismatch.key)
    const made = [...(unit?.charges ?? []), ...(unit?.refunds ?? [])].filter(
      ({ status }) => status !== 'absent',
    )
    const named = new Set(unit?.lives.flatMap(namedBy) ?? [])
    const captured =
      unit?.kind === 'capture'
        ? operation.charges.filter(({ names }) => names.some((id) => named.has(id)))
        : []
    return {
      aspect: 'usage',
      objectId: `k:${mismatch.scope}\u001f${mismatch.key}`,
      class: 'key_reuse_mismatch',
      since: null,
      subject: {
        scope: mismatch.scope,
        key: mismatch.key,
        effectIds: [...made, ...captured].map(({ id }) => id),
        reference: referenceOf(operation, unit ?? null),
      },
      amount: null,
      evidence: {
        firstAt: mismatch.firstAt.toISOString(),
        sides: { intent: unit?.lives.map(lifeFacts) ?? [], provider: [], ledger: [] },
      },
    }
  })
}
