import type { OutboxMessage } from './message'
import type { Publisher, PublishResult } from './publisher'

export type Sent = {
  /** By message id; what is not there was not published, as far as is known. */
  results: Map<string, PublishResult>
  /** Why nothing more was tried. */
  unavailable: unknown
}

/** So many in a row, each alone, that throw: it is the broker, not a message. */
const THROWS_MAX = 3

/**
 * Publishes messages so that of each key none overtakes another: a message that fails holds back those behind it of its key, and
 * no other. When a batch throws, its messages are tried one by one: one that makes the publisher throw must not hold up all.
 */
export async function sendInOrder(
  messages: readonly OutboxMessage[],
  publish: (batch: readonly OutboxMessage[]) => Promise<PublishResult[]>,
  { keepsOrder, batchMax = Number.POSITIVE_INFINITY }: Pick<Publisher, 'keepsOrder' | 'batchMax'>,
): Promise<Sent> {
  const results = new Map<string, PublishResult>()
  const failedKeys = new Set<string>()
  const note = (message: OutboxMessage, result: PublishResult) => {
    const key = orderKey(message)
    // It failed for being behind one that did: no attempt of its own.
    if (result.kind === 'refused' && failedKeys.has(key)) return
    results.set(message.id, result)
    if (result.kind === 'refused') failedKeys.add(key)
  }
  for (let rest = messages; rest.length > 0; ) {
    const { batch, later } = nextBatch(rest, failedKeys, keepsOrder, batchMax)
    if (batch.length === 0) break
    rest = later
    try {
      const given = await publish(batch)
      if (given.length !== batch.length)
        throw new Error('the publisher must give one result for each message')
      for (const [at, message] of batch.entries()) note(message, given[at] as PublishResult)
    } catch (error) {
      const answered = results.size > 0
      const alone = batch.length === 1 && !answered
      const unavailable = alone ? error : await tryEach(batch, publish, failedKeys, note, answered)
      if (unavailable !== null) return { results, unavailable }
    }
  }
  return { results, unavailable: null }
}

/** null = the broker is there: what threw is noted as refused. */
async function tryEach(
  batch: readonly OutboxMessage[],
  publish: (batch: readonly OutboxMessage[]) => Promise<PublishResult[]>,
  failedKeys: ReadonlySet<string>,
  note: (message: OutboxMessage, result: PublishResult) => void,
  answeredBefore: boolean,
): Promise<unknown> {
  let thrown: { message: OutboxMessage; error: unknown }[] = []
  const suspects = new Set<string>()
  let answered = answeredBefore
  for (const message of batch) {
    const key = orderKey(message)
    if (failedKeys.has(key) || suspects.has(key)) continue
    try {
      const [result] = await publish([message])
      if (result === undefined) throw new Error('the publisher must give one result for each message')
      note(message, result)
      answered = true
      // The broker was there before and after: the message it is.
      for (const each of thrown) note(each.message, refusedBy(each.error))
      thrown = []
    } catch (error) {
      thrown.push({ message, error })
      suspects.add(key)
      if (thrown.length >= THROWS_MAX) return error
    }
  }
  const [first] = thrown
  if (first === undefined) return null
  if (!answered) return first.error
  for (const each of thrown) note(each.message, refusedBy(each.error))
  return null
}

const refusedBy = (error: unknown): PublishResult => ({ kind: 'refused', error: String(error) })

/** Messages without a key are in no order: each is its own. */
const orderKey = ({ id, topic, key }: OutboxMessage): string => (key === null ? id : `${topic} ${key}`)

function nextBatch(
  messages: readonly OutboxMessage[],
  failedKeys: ReadonlySet<string>,
  keepsOrder: boolean,
  batchMax: number,
): { batch: OutboxMessage[]; later: OutboxMessage[] } {
  const batch: OutboxMessage[] = []
  const later: OutboxMessage[] = []
  const taken = new Set<string>()
  for (const message of messages) {
    const key = orderKey(message)
    if (failedKeys.has(key)) continue
    const full = batch.length >= batchMax
    if (full || (!keepsOrder && taken.has(key))) later.push(message)
    else batch.push(message)
    // Also one that waits, so that none of its key overtakes it.
    taken.add(key)
  }
  return { batch, later }
}
