/** Stripe's kinds of object that a service may keep the id of. A 404 says something only at the endpoint of its own kind. */
export type IdKind = 'charge' | 'payment_intent' | 'checkout_session' | 'invoice' | 'refund' | 'dispute'

const KIND_OF_PREFIX: Record<string, IdKind> = {
  ch: 'charge',
  /** A charge of a payment method other than a card. */
  py: 'charge',
  pi: 'payment_intent',
  cs: 'checkout_session',
  in: 'invoice',
  re: 'refund',
  pyr: 'refund',
  du: 'dispute',
  dp: 'dispute',
}

/** A client secret (`pi_…_secret_…`) is no id. */
export const RESOLVABLE_ID = new RegExp(
  `^(?:${Object.keys(KIND_OF_PREFIX).join('|')})_(?!.*_secret_)[A-Za-z0-9_]+$`,
)

/** null = an id of another provider, or of an object that makes no charge. */
export const kindOfId = (id: string): IdKind | null =>
  RESOLVABLE_ID.test(id) ? (KIND_OF_PREFIX[id.slice(0, id.indexOf('_'))] ?? null) : null
