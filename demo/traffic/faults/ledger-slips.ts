import type { Slip } from '../../service/fault-points'
import { type FaultScript, findingOf, paymentBody, paymentsRoute } from './stage'

/** The ledger is written in a transaction of its own, which is lost. */
export const ledgerLost: FaultScript = slip('lose-ledger')

/** The ledger gets another amount than the provider charged. */
export const wrongAmountBooked: FaultScript = slip('wrong-amount')

function slip(fault: Slip): FaultScript {
  return async (stage) => {
    const [key] = stage.operation.keys
    const payment = await stage.client.pay(paymentsRoute, paymentBody(stage.operation), { key, slip: fault })
    return findingOf(stage, paymentsRoute, key, [payment.charge])
  }
}
