import { z } from 'zod'
import type { MessageState } from '../../contracts'
import type { KafkaAccess } from './client'
import type { KafkaConfig } from './config'

/** Records of the topic of actions; keys name the dead letter. */
const recordSchema = z.discriminatedUnion('act', [
  /** Who writes it first after what they saw may do it. */
  z.strictObject({
    act: z.literal('claim'),
    verb: z.enum(['redrive', 'discard']),
    actionId: z.string(),
    after: z.string(),
  }),
  /** It was done, as claimed. */
  z.strictObject({ act: z.literal('done'), claim: z.string(), id: z.string() }),
])
type ActionRecord = z.infer<typeof recordSchema>

export type LetterState = {
  /** Offset of the last record about it that counts. */
  version: string
  state: MessageState
  /** Of what was done. */
  actionId: string | null
  /** What is published in its place. */
  id: string | null
  claim: { verb: 'redrive' | 'discard'; actionId: string } | null
}

export const UNTOUCHED: LetterState = {
  version: 'none',
  state: 'dead',
  actionId: null,
  id: null,
  claim: null,
}

/** Pure: what a dead letter is after one more record; records that name another state than it has count for nothing. */
export function advance(letter: LetterState, record: ActionRecord, offset: string): LetterState {
  if (letter.state !== 'dead') return letter
  if (record.act === 'claim') {
    if (record.after !== letter.version) return letter
    return { ...letter, version: offset, claim: { verb: record.verb, actionId: record.actionId } }
  }
  if (letter.claim === null || record.claim !== letter.version) return letter
  const state = letter.claim.verb === 'redrive' ? 'sent' : 'discarded'
  return { ...letter, version: offset, state, actionId: letter.claim.actionId, id: record.id }
}

const PARTITION = 0

/** What was done to dead letters, told by a topic: the order of its one partition decides who of two was first. */
export function createActions(kafka: KafkaAccess, { actionsTopic, deadTopic }: KafkaConfig) {
  const letters = new Map<string, LetterState>()
  let next: bigint | null = null
  let turn: Promise<unknown> = Promise.resolve()
  const keyOf = (place: string): string => `${deadTopic}/${place}`

  async function end(): Promise<bigint> {
    if (actionsTopic === undefined) return 0n
    return (await kafka.offsets(actionsTopic)).find(({ partition }) => partition === PARTITION)?.high ?? 0n
  }

  async function catchUp(): Promise<void> {
    if (actionsTopic === undefined) return
    const offsets = (await kafka.offsets(actionsTopic)).find(({ partition }) => partition === PARTITION)
    if (offsets === undefined) return
    const from = next === null || next < offsets.low ? offsets.low : next
    for (const { key, value, offset } of await kafka.read(actionsTopic, PARTITION, from, offsets.high)) {
      const name = key?.toString() ?? ''
      // Several sources may share the topic, and anybody may write to it.
      const record = recordSchema.safeParse(parse(value))
      if (!record.success || !name.startsWith(`${deadTopic}/`)) continue
      letters.set(name, advance(letters.get(name) ?? UNTOUCHED, record.data, offset))
    }
    next = offsets.high
  }

  return {
    end,
    /** Everything that was written until now. */
    refresh(): Promise<void> {
      const refreshed = turn.then(catchUp)
      turn = refreshed.catch(() => undefined)
      return refreshed
    },
    of: (place: string): LetterState => letters.get(keyOf(place)) ?? UNTOUCHED,
    write: (place: string, record: ActionRecord): Promise<void> =>
      kafka.send(actionsTopic ?? '', {
        key: keyOf(place),
        value: JSON.stringify(record),
        partition: PARTITION,
      }),
  }
}

function parse(value: Buffer | null): unknown {
  try {
    return JSON.parse(value?.toString() ?? '')
  } catch {
    return null
  }
}
