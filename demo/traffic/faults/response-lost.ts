import { type FaultScript, findingOf, paymentBody, paymentsRoute } from './stage'

/** The answer is lost on its way; the client retries with the same key and gets it again. */
export const responseLost: FaultScript = async (stage) => {
  const [key] = stage.operation.keys
  const payment = await stage.client.pay(paymentsRoute, paymentBody(stage.operation), {
    key,
    first: { fault: 'drop-response' },
  })
  return findingOf(stage, paymentsRoute, key, [payment.charge])
}
