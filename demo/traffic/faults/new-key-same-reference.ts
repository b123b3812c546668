import { expectCount, type FaultScript, findingOf, paymentBody, paymentsRoute } from './stage'

/** The client thinks that its payment was lost and pays the same order again, with a new key. */
export const newKeySameReference: FaultScript = async (stage) => {
  const { keys, customer, reference } = stage.operation
  const body = paymentBody(stage.operation)
  await stage.client.attempt(paymentsRoute, body, { key: keys[0], fault: 'drop-response' })
  await stage.client.pay(paymentsRoute, body, { key: keys[1] })
  return findingOf(
    stage,
    paymentsRoute,
    keys[1],
    expectCount(await stage.provider.chargesOf(customer, reference), 2),
  )
}
