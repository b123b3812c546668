import { bookFee, type Service } from './service'
import type { World } from './world'

/** Of the API in which a released authorisation makes a refund object. */
const OLDER = '2024-06-20'

/** A service takes an authorised amount, or a part of it, and books what it took. */
export async function capture(
  world: World,
  service: Service,
  { nth, part, older }: { nth: number; part: boolean; older: boolean },
): Promise<void> {
  const charge = nthAuthorised(world, nth)
  if (charge === undefined) return
  const amount = part ? 700 : charge.amount
  const { status } = await world.provider.request({
    method: 'POST',
    path: `/v1/payment_intents/${charge.paymentIntent}/capture`,
    form: new URLSearchParams({ amount_to_capture: String(amount) }).toString(),
    idempotencyKey: `capture-${charge.id}`,
    ...(older ? { apiVersion: OLDER } : {}),
  })
  world.notes.push(`capture of ${amount} of ${charge.id}: ${status}`)
  if (status !== 200) return
  const { keeps, fees } = world.script.style
  const reference = keeps === 'intent' ? charge.paymentIntent : charge.id
  await service.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
     VALUES ('charge', $1, $1, $2, $3, 'USD')`,
    [reference, charge.description, amount],
  )
  await bookFee(service.query, fees, { charge: charge.id, reference: charge.description ?? '', amount })
}

/** An authorisation is given up, by the service or because it ran out. */
export async function releaseAuthorisation(
  world: World,
  { nth, older }: { nth: number; older: boolean },
): Promise<void> {
  const charge = nthAuthorised(world, nth)
  if (charge !== undefined)
    await world.provider.control.expireAuthorisation(charge.paymentIntent, older ? OLDER : undefined)
}

/** What the provider keeps of an asynchronous capture is known from now on. */
export async function settleCharge(world: World, nth: number): Promise<void> {
  const unsettled = world.provider.charges().filter((charge) => charge.unsettled === true)
  const charge = unsettled[nth % Math.max(1, unsettled.length)]
  if (charge !== undefined) await world.provider.settleCharge(charge.id)
}

function nthAuthorised(world: World, nth: number) {
  const authorised = world.provider.authorisedCharges()
  return authorised[nth % Math.max(1, authorised.length)]
}
