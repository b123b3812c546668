import { type FaultScript, findingOf, paymentBody, paymentsRoute } from './stage'

/** The provider takes a payment back after it was booked. */
export const failedAfterPosting: FaultScript = async (stage) => {
  const [key] = stage.operation.keys
  const payment = await stage.client.pay(paymentsRoute, paymentBody(stage.operation), { key })
  await stage.provider.control.failCharge(payment.charge)
  return findingOf(stage, paymentsRoute, key, [payment.charge])
}
