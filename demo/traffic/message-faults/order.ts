import { consumeScope, type Topic } from '../../service/messaging/topics'
import { type Finding, paymentBody, type Stage } from '../faults/stage'
import type { SeenMessage } from '../message-eyes'

/** The relay looks each second, and waits for open transactions of the whole cluster; on a busy machine that takes a while. */
export const relayTimeoutMs = 30_000

/** An address that no other operation has. */
export const emailOf = ({ operation }: Stage): string => `${operation.reference}@example.com`

/** A payment whose customer wants a receipt: one message. */
export const withReceipt = (stage: Stage) => ({ ...paymentBody(stage.operation), email: emailOf(stage) })

/** A payment for goods, with a receipt: two messages. */
export const withGoods = (stage: Stage) => ({
  ...withReceipt(stage),
  goods: { sku: 'tea-100g', quantity: 2 },
})

/** The messages of an order; a script that did not publish what it claims must not write truth. */
export async function messagesOf(stage: Stage, reference: string, count: number) {
  const messages = await stage.messages.ofOrder(reference)
  if (messages.length !== count)
    throw new Error(`order ${reference} has ${messages.length} messages, not ${count}`)
  return messages
}

export async function onlyMessageOf(stage: Stage): Promise<SeenMessage> {
  const [message] = await messagesOf(stage, stage.operation.reference, 1)
  if (message === undefined) throw new Error('it has no message')
  return message
}

/** Each was applied once: a row of the stock for each of goods, a mail for each receipt. */
export async function expectAppliedOnce(stage: Stage, messages: readonly SeenMessage[], email: string) {
  for (const { id, topic } of messages) {
    const times = topic === 'orders' ? await stage.messages.movements(id) : undefined
    if (times !== undefined && times !== 1) throw new Error(`message ${id} was applied ${times} times`)
  }
  const receipts = messages.filter(({ topic }) => topic !== 'orders').length
  const mails = await stage.messages.mailsTo(email)
  if (mails.length !== receipts) throw new Error(`${email} got ${mails.length} mails, not ${receipts}`)
}

/** The finding about one message: its consumer's key is its id. */
export const findingOfMessage = (
  { operation: { reference } }: Stage,
  { id, topic }: SeenMessage,
  effectIds: readonly string[] = [],
): Finding => ({ scope: consumeScope(topic as Topic), key: id, effectIds, reference, messageIds: [id] })
