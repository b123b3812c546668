import { type FaultScript, paymentBody, paymentsRoute } from '../faults/stage'
import { findingOfMessage, messagesOf } from './order'

/** The stock does not know an article: the message is dead after its attempts, and held back the next one of its order alone. */
export const poisonMessage: FaultScript = async (stage) => {
  const { client, messages, operation } = stage
  const [poisonKey, refundKey, otherKey] = operation.keys
  const body = paymentBody(operation)
  const poisoned = await client.pay(
    paymentsRoute,
    { ...body, goods: { sku: 'no-such-article', quantity: 1 } },
    { key: poisonKey },
  )
  // Behind it: what comes back of the same order.
  await client.refund(poisoned.id, {}, { key: refundKey })
  const [poison, behind] = await messagesOf(stage, operation.reference, 2)
  const otherReference = `${operation.reference}-other`
  await client.pay(
    paymentsRoute,
    { ...body, reference: otherReference, goods: { sku: 'tea-100g', quantity: 1 } },
    { key: otherKey },
  )
  const [other] = await messagesOf(stage, otherReference, 1)
  if (poison === undefined || behind === undefined || other === undefined)
    throw new Error('the orders have no messages')
  await messages.until('sent', [other.id])
  await messages.until('dead', [poison.id, behind.id])
  if ((await messages.movements(other.id)) !== 1) throw new Error('the other order was not applied once')
  return { ...findingOfMessage(stage, poison), messageIds: [poison.id, behind.id] }
}
