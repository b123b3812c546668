import type { LeaseRow } from '@/lib/sources/contracts'
import type { AnswerObject, ProviderAnswer } from './provider-answer'

/** The one effect of a key that happened, as the provider has it. */
export type FoundEffect = AnswerObject & {
  step: string
  /** What the store recorded as the step's result, when it came that far. */
  result: unknown
}

export type FindEffect =
  | { kind: 'one'; effect: FoundEffect }
  | { kind: 'failed' }
  | { kind: 'pending'; id: string }
  | { kind: 'ambiguous'; why: string }

/** Which effect of this key happened. Anything but exactly one, of the step that was begun, is for a person. */
export function findEffect(lease: LeaseRow, answer: ProviderAnswer): FindEffect {
  const objects = answer.kind === 'found' ? answer.objects : []
  const pending = objects.find((object) => object.status === 'pending')
  if (pending !== undefined) return { kind: 'pending', id: pending.id }
  const strange = objects.find((object) => object.status === 'other')
  if (strange !== undefined) return { kind: 'ambiguous', why: `The state of ${strange.id} is not known.` }

  const happened = objects.filter((object) => object.status === 'succeeded')
  const [effect, another] = happened
  if (effect === undefined) return { kind: 'failed' }
  if (another !== undefined) {
    const undone = happened.some(
      (object) => object.kind === 'refund' && happened.some((o) => o.id === object.parent),
    )
    return {
      kind: 'ambiguous',
      why: undone ? 'The effect was refunded.' : 'There is more than one effect on this key.',
    }
  }

  if (effect.undone)
    return { kind: 'ambiguous', why: `${effect.id} was given back whole, or its authorisation was released.` }

  const open = lease.effects.filter((recorded) => recorded.state !== 'failed')
  const own =
    open.find((recorded) => recorded.reference === effect.id) ??
    open.find((recorded) => recorded.step === effect.step)
  const step = own?.step ?? effect.step
  if (step === null || step === undefined)
    return { kind: 'ambiguous', why: 'It is not known which step it belongs to.' }
  if (open.some((recorded) => recorded.step !== step)) {
    return { kind: 'ambiguous', why: 'Another step of this key was begun too.' }
  }
  return { kind: 'one', effect: { ...effect, step, result: own?.result ?? null } }
}
