import { type FaultScript, findingOf, paymentBody, paymentsRoute } from './stage'

/** The same customer buys for the same amount again: two orders, two charges, both wanted. */
export const secondPurchase: FaultScript = async (stage) => {
  const [firstKey, secondKey] = stage.operation.keys
  const body = paymentBody(stage.operation)
  const first = await stage.client.pay(paymentsRoute, body, { key: firstKey })
  const reference = `${body.reference}-again`
  const second = await stage.client.pay(paymentsRoute, { ...body, reference }, { key: secondKey })
  return { ...findingOf(stage, paymentsRoute, secondKey, [first.charge, second.charge]), reference }
}
