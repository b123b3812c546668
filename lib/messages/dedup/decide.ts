import type { ConsumerAnswer, ConsumerState } from './consumer-answer'

export const MESSAGE_REFUSALS = [
  'no_consumer',
  'no_id',
  'applied',
  'in_progress',
  'unknown',
  'expired',
  'not_known',
  'not_dead',
  'changed',
  'gone',
  'not_supported',
  'source_unreachable',
] as const
export type MessageRefusalReason = (typeof MESSAGE_REFUSALS)[number]

export type Decision = { kind: 'redrive' } | { kind: 'refused'; reason: MessageRefusalReason; text: string }

/** The first of these that a consumer says decides. */
const STOPS: readonly (ConsumerState & MessageRefusalReason)[] = [
  'not_known',
  'unknown',
  'in_progress',
  'expired',
]

export const NO_CONSUMER =
  'Nobody has said who consumes this topic, so nothing tells whether it was applied. Name its consumers and their store in the source’s configuration.'

/** Pure: whether a message may be published once more, by what its consumers' records say. */
export function decideRedrive(answers: readonly ConsumerAnswer[]): Decision {
  if (answers.length === 0) return { kind: 'refused', reason: 'no_consumer', text: NO_CONSUMER }
  for (const state of STOPS) {
    const found = answers.find((answer) => answer.state === state)
    if (found !== undefined) return { kind: 'refused', reason: state, text: `${found.group}: ${found.text}` }
  }
  if (answers.every(({ state }) => state === 'applied')) {
    const text = 'Every consumer has applied it: discard it instead.'
    return { kind: 'refused', reason: 'applied', text }
  }
  return { kind: 'redrive' }
}
