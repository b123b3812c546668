import { type FaultScript, findingOf, paymentBody, paymentsRoute } from './stage'

/** The provider takes a payment back after it was booked. */
export const failedAfterPosting: FaultScript = async (stage) => {
  const [key] = stage.operation.keys
  const payment = await stage.client.pay(paymentsRoute, paymentBody(stage.operation), { key })
  await stage.provider.control.failCharge(payment.charge)
  return findingOf(stage, paymentsRoute, key, [payment.charge])
}

/** A refund goes out and is booked, and the customer's bank sends it back. */
export const refundFailed: FaultScript = async (stage) => {
  const [paymentKey, refundKey] = stage.operation.keys
  const payment = await stage.client.pay(paymentsRoute, paymentBody(stage.operation), { key: paymentKey })
  const refund = await stage.client.refund(payment.id, {}, { key: refundKey })
  await stage.provider.control.failRefund(refund.id)
  return findingOf(stage, '/v1/payments/{id}/refunds', refundKey, [refund.id])
}
