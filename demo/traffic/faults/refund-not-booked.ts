import { type FaultScript, findingOf, paymentBody, paymentsRoute } from './stage'

/** A refund goes out and the ledger never hears of it. */
export const refundNotBooked: FaultScript = async (stage) => {
  const [paymentKey, refundKey] = stage.operation.keys
  const payment = await stage.client.pay(paymentsRoute, paymentBody(stage.operation), { key: paymentKey })
  const refund = await stage.client.refund(payment.id, {}, { key: refundKey, slip: 'skip-refund-booking' })
  return findingOf(stage, '/v1/payments/{id}/refunds', refundKey, [refund.id])
}
