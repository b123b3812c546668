import Stripe from 'stripe'
import { type ProviderRecord, type Resolved, SourceUnavailableError } from '../contracts'
import type { Caller } from './call'
import type { StripeConfig } from './config'
import { kindOfId } from './ids'
import { toCharge, toDispute, toRefund } from './objects'
import { intentPayment, invoicePayment, sessionPayment } from './payments'

/** A page of a list; what has more of something than this is not read to its end: an error, not a wrong answer. */
const MEMBERS_MAX = 100

export type StripeReader = {
  config: StripeConfig
  reader: Stripe
  call: Caller
  /** What a charge is expanded by; `prefix` where it is read in a list. */
  chargeParams: (prefix?: string) => { expand: string[] }
}

/** Looks an id up at the endpoint of its own kind: only there does a 404 mean that the object does not exist. */
export async function resolveId(stripe: StripeReader, id: string): Promise<Resolved> {
  const { config, reader, call } = stripe
  const kind = kindOfId(id)
  switch (kind) {
    case null:
      return { kind: 'unknown_id' }
    case 'charge': {
      const charge = await retrieve(() => call(() => reader.charges.retrieve(id, stripe.chargeParams())))
      return charge === null ? { kind: 'absent' } : found([toCharge(config, charge)])
    }
    case 'refund': {
      const refund = await retrieve(() => call(() => reader.refunds.retrieve(id)))
      return refund === null ? { kind: 'absent' } : found([toRefund(config, refund)])
    }
    case 'dispute': {
      const dispute = await retrieve(() => call(() => reader.disputes.retrieve(id)))
      return dispute === null ? { kind: 'absent' } : found([toDispute(config, dispute)])
    }
    case 'payment_intent':
      return resolveIntent(stripe, id)
    case 'checkout_session':
      return resolveSession(stripe, id)
    case 'invoice':
      return resolveInvoice(stripe, id)
    default:
      return kind satisfies never
  }
}

const found = (objects: ProviderRecord[]): Resolved => ({ kind: 'found', objects })

/** The payment first, then every charge that was tried under it. */
async function resolveIntent(stripe: StripeReader, id: string): Promise<Resolved> {
  const intent = await retrieve(() => stripe.call(() => stripe.reader.paymentIntents.retrieve(id)))
  if (intent === null) return { kind: 'absent' }
  const params = { payment_intent: id, limit: MEMBERS_MAX, ...stripe.chargeParams('data.') }
  const charges = await stripe.call(() => stripe.reader.charges.list(params))
  if (charges.has_more) throw new SourceUnavailableError(`${id} has more than ${MEMBERS_MAX} charges`)
  return found([
    intentPayment(stripe.config, intent),
    ...charges.data.map((charge) => toCharge(stripe.config, charge)),
  ])
}

async function resolveSession(stripe: StripeReader, id: string): Promise<Resolved> {
  const session = await retrieve(() => stripe.call(() => stripe.reader.checkout.sessions.retrieve(id)))
  if (session === null) return { kind: 'absent' }
  const paidBy = idOf(session.payment_intent) ?? idOf(session.invoice)
  const members = paidBy === null ? [] : await membersOf(stripe, [paidBy])
  return found([sessionPayment(stripe.config, session, members.flatMap(tieIds)), ...members])
}

async function resolveInvoice(stripe: StripeReader, id: string): Promise<Resolved> {
  const invoice = await retrieve(() => stripe.call(() => stripe.reader.invoices.retrieve(id)))
  if (invoice === null) return { kind: 'absent' }
  const payments = await stripe.call(() =>
    stripe.reader.invoicePayments.list({ invoice: id, limit: MEMBERS_MAX }),
  )
  if (payments.has_more) throw new SourceUnavailableError(`${id} has more than ${MEMBERS_MAX} payments`)
  const paidBy = payments.data.flatMap(
    ({ payment }) => idOf(payment.payment_intent) ?? idOf(payment.charge) ?? [],
  )
  const members = await membersOf(stripe, paidBy)
  return found([invoicePayment(stripe.config, invoice, members.flatMap(tieIds)), ...members])
}

/** What a payment names exists: an answer that says otherwise is no answer. */
async function membersOf(stripe: StripeReader, ids: readonly string[]): Promise<ProviderRecord[]> {
  const members: ProviderRecord[] = []
  for (const id of ids) {
    const resolved = await resolveId(stripe, id)
    if (resolved.kind !== 'found') throw new SourceUnavailableError(`${id} is named but cannot be read`)
    members.push(...resolved.objects)
  }
  return members
}

/** Payment intents and charges tie a payment to what was made under it. */
const tieIds = (object: ProviderRecord): string[] =>
  object.kind === 'payment' || object.kind === 'charge' ? [object.id] : []

const idOf = (value: string | { id: string } | null | undefined): string | null =>
  typeof value === 'string' ? value : (value?.id ?? null)

/** The provider's own "no such object"; everything else goes on. */
export async function retrieve<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read()
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeError && error.code === 'resource_missing'
