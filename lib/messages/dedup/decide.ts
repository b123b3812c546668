import type { MessageCapabilities, MessageRow } from '@/lib/sources/contracts'
import type { ConsumerAnswer, ConsumerState } from './consumer-answer'

export const MESSAGE_REFUSALS = [
  'no_consumer',
  'no_id',
  'applied',
  'in_progress',
  'unknown',
  'held',
  'expired',
  'not_known',
  'not_dead',
  'changed',
  'gone',
  'not_supported',
  'source_unreachable',
  'evidence_changed',
  'took_too_long',
] as const
export type MessageRefusalReason = (typeof MESSAGE_REFUSALS)[number]

type Refused = { kind: 'refused'; reason: MessageRefusalReason; text: string }
export type Decision = { kind: 'redrive' } | Refused

const refuse = (reason: MessageRefusalReason, text: string): Refused => ({ kind: 'refused', reason, text })

/** The first of these that a consumer says decides. */
const STOPS = [
  'not_known',
  'unknown',
  'in_progress',
  'held',
  'expired',
] as const satisfies readonly (ConsumerState & MessageRefusalReason)[]

export const NO_CONSUMER =
  'Nobody has said who consumes this topic, so nothing tells whether it was applied. Name its consumers and their store in the source’s configuration.'

/** It is over for them: a redelivery would do nothing, or do it twice. */
export const isOver = ({ state }: Pick<ConsumerAnswer, 'state'>): boolean =>
  state === 'applied' || state === 'applied_ending' || state === 'ended'

/** Pure: whether a message may be published once more, by what its consumers' records say. */
export function decideRedrive(answers: readonly ConsumerAnswer[]): Decision {
  if (answers.length === 0) return refuse('no_consumer', NO_CONSUMER)
  if (answers.every(isOver)) return refuse('applied', 'It is over for every consumer: discard it instead.')
  for (const state of STOPS) {
    const found = answers.find((answer) => answer.state === state)
    if (found !== undefined) return refuse(state, `${found.group}: ${found.text}`)
  }
  const ending = answers.find(({ state }) => state === 'applied_ending')
  if (ending !== undefined) return refuse('expired', `${ending.group}: ${ending.text}`)
  return { kind: 'redrive' }
}

/** What the message itself forbids, and then what its consumers say. An edited one is another message, with an id of its own. */
export function decideMessage(
  message: Pick<MessageRow, 'state' | 'id'>,
  { canRedrive, canEdit, reasons }: MessageCapabilities,
  consumers: readonly ConsumerAnswer[],
  edited = false,
): Decision {
  if (message.state !== 'dead')
    return refuse('not_dead', `It is ${message.state}: only a dead message is sent again.`)
  if (edited ? !canEdit : !canRedrive)
    return refuse(
      'not_supported',
      (edited ? reasons?.edit : reasons?.redrive) ?? 'This source cannot publish it again.',
    )
  if (message.id === null)
    return refuse('no_id', 'It has no id, so nobody can tell whether a consumer applied it.')
  if (!edited) return decideRedrive(consumers)
  if (consumers.length === 0) return refuse('no_consumer', NO_CONSUMER)
  // Under an id of its own no record drops it: whoever applied the old one would apply the new one too.
  const did = consumers.find(({ state }) => DID.includes(state))
  if (did !== undefined)
    return refuse(
      'applied',
      `${did.group} has applied it, or a part: a changed one would be applied beside it.`,
    )
  return consumers.every(({ state }) => state === 'ended') ? { kind: 'redrive' } : decideRedrive(consumers)
}

const DID: readonly ConsumerState[] = ['applied', 'applied_ending', 'partly']

/** What a discard needs: nothing of the consumers, who only lose what none of them has applied. */
export function decideDiscard(
  message: Pick<MessageRow, 'state'>,
  { canDiscard, reasons }: MessageCapabilities,
): Refused | null {
  if (message.state !== 'dead')
    return refuse('not_dead', `It is ${message.state}: only a dead message is discarded.`)
  return canDiscard ? null : refuse('not_supported', reasons?.discard ?? 'This source cannot end it.')
}
