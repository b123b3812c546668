import type Stripe from 'stripe'
import { z } from 'zod'
import type { ProviderHint, ProviderRecord, ProviderRecordKind, ProviderUnreadable } from '../contracts'
import type { StripeConfig } from './config'
import { hasReleasedPart, toCharge, toDispute, toRefund } from './objects'
import { readable } from './unreadable'

/** Events that tell of a change to what is staged. Stripe takes at most 20 types in a list. */
export const EVENT_TYPES = [
  'charge.captured',
  'charge.dispute.closed',
  'charge.dispute.created',
  'charge.dispute.funds_reinstated',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.updated',
  'charge.expired',
  'charge.failed',
  'charge.pending',
  'charge.refund.updated',
  'charge.refunded',
  'charge.succeeded',
  'charge.updated',
  'payment_intent.canceled',
  'refund.created',
  'refund.failed',
  'refund.updated',
]

const eventSchema = z.object({
  id: z.string(),
  api_version: z.string().nullish(),
  created: z.int(),
  data: z.object({
    object: z.object({ id: z.string(), object: z.enum(['charge', 'refund', 'dispute', 'payment_intent']) }),
  }),
})

const RECORD_KIND = {
  charge: 'charge',
  refund: 'refund',
  dispute: 'dispute',
  payment_intent: 'payment',
} as const satisfies Record<string, ProviderRecordKind>

export function toHint(config: StripeConfig, raw: Stripe.Event): ProviderHint | ProviderUnreadable {
  return readable(config, 'event', raw, () => {
    const event = eventSchema.parse(raw)
    const { id, object } = event.data.object
    return {
      kind: 'hint' as const,
      eventId: event.id,
      at: new Date(event.created * 1000),
      object: { id, of: RECORD_KIND[object] },
      snapshot: event.api_version === config.apiVersion ? snapshotOf(config, raw) : null,
    }
  })
}

/** An event has its object in the version of the API that the account had then; another one may mean something else. */
function snapshotOf(config: StripeConfig, event: Stripe.Event): ProviderRecord | null {
  const object = event.data.object as Stripe.Charge | Stripe.Refund | Stripe.Dispute | Stripe.PaymentIntent
  const shown = shownIn(config, object)
  return shown?.kind === 'unreadable' ? null : shown
}

function shownIn(
  config: StripeConfig,
  object: Stripe.Charge | Stripe.Refund | Stripe.Dispute | Stripe.PaymentIntent,
): ProviderRecord | null {
  switch (object.object) {
    case 'charge':
      return hasReleasedPart(object)
        ? null
        : readable(config, 'charge', object, (raw) => toCharge(config, raw))
    case 'refund':
      return readable(config, 'refund', object, (raw) => toRefund(config, raw))
    case 'dispute':
      return readable(config, 'dispute', object, (raw) => toDispute(config, raw))
    case 'payment_intent':
      return null
    default:
      return object satisfies never
  }
}
