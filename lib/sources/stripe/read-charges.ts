import type Stripe from 'stripe'
import {
  type ProviderCharge,
  type ProviderDispute,
  type ProviderRefund,
  type ProviderUnreadable,
  SourceUnavailableError,
} from '../contracts'
import type { Caller } from './call'
import type { StripeConfig } from './config'
import { hasReleasedPart, toCharge, toDispute, toRefund } from './objects'
import { readable } from './unreadable'

const PAGE_SIZE = 100
/** A charge with more refunds than this is not read to its end: an error, not a wrong sum. */
const REFUNDS_OF_CHARGE_MAX = 1000

export type StripeReader = { config: StripeConfig; reader: Stripe; call: Caller }

const expand = (prefix: string, names: (string | false)[]) => ({
  expand: names.flatMap((name) => (name === false ? [] : prefix + name)),
})

/** What a charge is read with; `prefix` in a list. */
export const chargeParams = ({ fees }: StripeConfig, prefix = '') =>
  expand(prefix, ['payment_intent', fees && 'balance_transaction'])

export const refundParams = ({ fees }: StripeConfig, prefix = '') =>
  expand(prefix, ['charge', fees && 'balance_transaction', fees && 'failure_balance_transaction'])

/** Charges as they are, in order. Of one that released a part the refunds are asked for: its own sum has both. */
export async function readCharges(
  stripe: StripeReader,
  raws: readonly Stripe.Charge[],
): Promise<(ProviderCharge | ProviderUnreadable)[]> {
  const charges: (ProviderCharge | ProviderUnreadable)[] = []
  for (const raw of raws) {
    const refunded = hasReleasedPart(raw) ? await amountRefunded(stripe, raw.id) : undefined
    charges.push(
      readable(stripe.config, 'charge', raw, (charge) => toCharge(stripe.config, charge, refunded)),
    )
  }
  return charges
}

/** In Stripe's own unit: what was given back, or is on its way. */
async function amountRefunded(stripe: StripeReader, chargeId: string): Promise<number> {
  const raws = await listRefunds(stripe, chargeId)
  return raws
    .map((raw) => ({ raw, refund: toRefund(stripe.config, raw) }))
    .filter(
      ({ refund }) => !refund.released && (refund.status === 'succeeded' || refund.status === 'pending'),
    )
    .reduce((total, { raw }) => total + raw.amount, 0)
}

/** All refunds of a charge that move money. */
export async function refundsOfCharge(stripe: StripeReader, chargeId: string): Promise<ProviderRefund[]> {
  return (await listRefunds(stripe, chargeId)).flatMap((raw) => {
    const refund = readable(stripe.config, 'refund', raw, (each) => toRefund(stripe.config, each))
    if (refund.kind === 'unreadable') {
      throw new SourceUnavailableError(`${refund.id} of ${chargeId} cannot be read: ${refund.reason}`)
    }
    return refund.released ? [] : [refund]
  })
}

/** All disputes of a charge: a card network allows a few, never a page of them. */
export async function disputesOfCharge(
  { config, reader, call }: StripeReader,
  charge: string,
): Promise<ProviderDispute[]> {
  if (!config.disputes) return []
  const page = await call(() => reader.disputes.list({ charge, limit: PAGE_SIZE }))
  if (page.has_more) throw new SourceUnavailableError(`${charge} has more than ${PAGE_SIZE} disputes`)
  return page.data.map((raw) => {
    const dispute = readable(config, 'dispute', raw, (each) => toDispute(config, each))
    if (dispute.kind !== 'unreadable') return dispute
    throw new SourceUnavailableError(`${dispute.id} of ${charge} cannot be read: ${dispute.reason}`)
  })
}

async function listRefunds({ config, reader, call }: StripeReader, charge: string): Promise<Stripe.Refund[]> {
  const refunds: Stripe.Refund[] = []
  for (let cursor: string | undefined; refunds.length < REFUNDS_OF_CHARGE_MAX; cursor = refunds.at(-1)?.id) {
    const after = cursor === undefined ? {} : { starting_after: cursor }
    const params = { charge, limit: PAGE_SIZE, ...refundParams(config, 'data.'), ...after }
    const page = await call(() => reader.refunds.list(params))
    refunds.push(...page.data)
    if (!page.has_more) return refunds
  }
  throw new SourceUnavailableError(`${charge} has more than ${REFUNDS_OF_CHARGE_MAX} refunds`)
}
