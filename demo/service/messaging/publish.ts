import type { PoolClient } from 'pg'
import { createOutbox, type OutgoingMessage } from '../../../sdk/outbox'
import { divertHeader } from '../fault-points'
import type { Payment } from '../payments'
import type { Goods, OrderEvent, ReceiptEvent } from './events'
import type { Topic } from './topics'

const outbox = createOutbox()

/** Tells the stock and the mailer of a payment, if and only if its transaction commits. Most payments have nothing to tell. */
export function publishPaid(
  tx: PoolClient,
  request: Request,
  { reference, amountMinor, currency }: Payment,
  { goods, email }: { goods?: Goods | undefined; email?: string | undefined },
): Promise<void> {
  const isQuick = new URL(request.url).pathname === '/v1/quick-payments'
  const messages = []
  if (goods !== undefined) messages.push(orderMessage('order.paid', { reference, ...goods }))
  if (email !== undefined) {
    const receipt: ReceiptEvent = { reference, email, amountMinor: amountMinor.toString(), currency }
    messages.push(receiptMessage(isQuick ? 'quick-receipts' : 'receipts', receipt))
  }
  return publish(tx, request, messages)
}

/** What was sold comes back. */
export function publishRefunded(
  tx: PoolClient,
  request: Request,
  { reference }: Payment,
  goods: Goods | undefined,
): Promise<void> {
  return publish(
    tx,
    request,
    goods === undefined ? [] : [orderMessage('order.refunded', { reference, ...goods })],
  )
}

const messageOn = (topic: Topic, key: string, type: string, payload: OutgoingMessage['payload']) => ({
  topic,
  key,
  type,
  payload,
})
const orderMessage = (type: string, event: OrderEvent) => messageOn('orders', event.reference, type, event)
const receiptMessage = (topic: Topic, event: ReceiptEvent) =>
  messageOn(topic, event.reference, 'receipt.due', event)

async function publish(
  tx: PoolClient,
  request: Request,
  messages: readonly OutgoingMessage[],
): Promise<void> {
  if (messages.length === 0) return
  const divert = request.headers.get(divertHeader)
  const headers = divert === null ? {} : { [divertHeader]: divert }
  await outbox.publishAll(
    tx,
    messages.map((message) => ({ ...message, headers })),
  )
}
