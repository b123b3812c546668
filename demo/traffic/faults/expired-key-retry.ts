import { deriveProviderKey } from '../../../sdk/key-hash'
import { tiers } from '../../service/tiers'
import { type FaultScript, findingOf, paymentBody, scopeOf } from './stage'

const route = '/v1/quick-payments'
/** Past the expiry for sure, whatever the clocks of this process and the store say. On DynamoDB a record counts for 2 s more. */
const marginMs = 3500

/** A retry comes after the key's record has expired, and the provider has forgotten its key too: charged twice. */
export const expiredKeyRetry: FaultScript = async (stage) => {
  const [key] = stage.operation.keys
  const body = paymentBody(stage.operation)
  const first = await stage.client.pay(route, body, { key })
  await stage.wait(tiers.quick.ttlMs + marginMs)
  await stage.provider.control.forgetKey(deriveProviderKey(scopeOf(stage, route), key, 'charge'))
  const second = await stage.client.pay(route, body, { key })
  if (second.charge === first.charge)
    throw new Error(`the retry was answered with the old charge ${first.charge}`)
  return findingOf(stage, route, key, [first.charge, second.charge])
}
