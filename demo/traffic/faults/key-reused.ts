import { type FaultScript, findingOf, paymentBody, paymentsRoute } from './stage'

/** A client uses one key for two different payments; the second is refused. */
export const keyReused: FaultScript = async (stage) => {
  const [key] = stage.operation.keys
  const body = paymentBody(stage.operation)
  const payment = await stage.client.pay(paymentsRoute, body, { key })
  const other = { ...body, amountMinor: String(BigInt(body.amountMinor) + 100n) }
  const refused = await stage.client.attempt(paymentsRoute, other, { key })
  if (refused.status !== 422) throw new Error(`the other body was answered ${refused.status}`)
  return findingOf(stage, paymentsRoute, key, [payment.charge])
}
