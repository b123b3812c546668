import Stripe from 'stripe'
import {
  type ProviderPayment,
  type ProviderRecord,
  type ProviderRecordKind,
  type ProviderUnreadable,
  type Resolved,
  SourceUnavailableError,
} from '../contracts'
import { answeredAt } from './answered-at'
import type { StripeConfig } from './config'
import { type IdKind, kindOfId } from './ids'
import { toDispute, toRefund } from './objects'
import { intentPayment, invoicePayment, sessionPayment } from './payments'
import { chargeParams, readCharges, refundParams, type StripeReader } from './read-charges'
import { readable } from './unreadable'

/** A page of a list; what has more of something than this is not read to its end: an error, not a wrong answer. */
const MEMBERS_MAX = 100

/** Looks an id up at the endpoint of its own kind: only there does a 404 mean that the object does not exist. */
export async function resolveId(
  stripe: StripeReader,
  id: string,
  of?: ProviderRecordKind,
): Promise<Resolved> {
  const { config, reader } = stripe
  const kind = kindOfId(id) ?? (of === 'payment' || of === undefined ? null : of)
  switch (kind) {
    case null:
      return { kind: 'unknown_id' }
    case 'charge':
      return one(
        stripe,
        kind,
        id,
        () => reader.charges.retrieve(id, chargeParams(config)),
        (raw) => readCharges(stripe, [raw]),
      )
    case 'refund':
      return one(
        stripe,
        kind,
        id,
        () => reader.refunds.retrieve(id, refundParams(config)),
        (raw) => [readable(config, kind, raw, (refund) => toRefund(config, refund))],
      )
    case 'dispute':
      return one(
        stripe,
        kind,
        id,
        () => reader.disputes.retrieve(id),
        (raw) => [readable(config, kind, raw, (dispute) => toDispute(config, dispute))],
      )
    case 'payment_intent':
      return one(
        stripe,
        kind,
        id,
        () => reader.paymentIntents.retrieve(id),
        (raw) => intentAndCharges(stripe, raw),
      )
    case 'checkout_session':
      return one(
        stripe,
        kind,
        id,
        () => reader.checkout.sessions.retrieve(id),
        (raw) => sessionAndMembers(stripe, raw),
      )
    case 'invoice':
      return one(
        stripe,
        kind,
        id,
        () => reader.invoices.retrieve(id),
        (raw) => invoiceAndMembers(stripe, raw),
      )
    default:
      return kind satisfies never
  }
}

/** The payment first, then every charge that was tried under it. */
async function intentAndCharges(stripe: StripeReader, raw: Stripe.PaymentIntent): Promise<ProviderRecord[]> {
  const { config, reader, call } = stripe
  const params = { payment_intent: raw.id, limit: MEMBERS_MAX, ...chargeParams(config, 'data.') }
  const charges = await call(() => reader.charges.list(params))
  if (charges.has_more) throw new SourceUnavailableError(`${raw.id} has more than ${MEMBERS_MAX} charges`)
  return [
    readable(config, 'payment', raw, (intent) => intentPayment(config, intent)),
    ...(await readCharges(stripe, charges.data)),
  ]
}

async function sessionAndMembers(
  stripe: StripeReader,
  raw: Stripe.Checkout.Session,
): Promise<ProviderRecord[]> {
  const paidBy = idOf(raw.payment_intent) ?? idOf(raw.invoice)
  const members = paidBy === null ? [] : await membersOf(stripe, [paidBy])
  return [session(stripe.config, raw, members.flatMap(tieIds)), ...members]
}

async function invoiceAndMembers(stripe: StripeReader, raw: Stripe.Invoice): Promise<ProviderRecord[]> {
  const payments = await listInvoicePayments(stripe, { invoice: raw.id })
  const paidBy = payments.flatMap(({ payment }) => idOf(payment.payment_intent) ?? idOf(payment.charge) ?? [])
  const members = await membersOf(stripe, paidBy)
  return [invoice(stripe.config, raw, members.flatMap(tieIds)), ...members]
}

/** Checkout sessions and invoices of a payment intent: what a service may have kept in its stead, or tagged. */
export async function paymentsAbove(
  stripe: StripeReader,
  intentId: string,
): Promise<(ProviderPayment | ProviderUnreadable)[]> {
  const { config, reader, call } = stripe
  if (!config.payments) return []
  const params = { payment_intent: intentId, limit: MEMBERS_MAX }
  const sessions = await call(() => reader.checkout.sessions.list(params))
  const payments = await listInvoicePayments(stripe, {
    payment: { type: 'payment_intent', payment_intent: intentId },
  })
  const invoices: Stripe.Invoice[] = []
  for (const id of payments.flatMap((payment) => idOf(payment.invoice) ?? [])) {
    invoices.push(await call(() => reader.invoices.retrieve(id)))
  }
  return [
    ...sessions.data.map((raw) => session(config, raw, [intentId])),
    ...invoices.map((raw) => invoice(config, raw, [intentId])),
  ]
}

async function listInvoicePayments(
  { reader, call }: StripeReader,
  of: Stripe.InvoicePaymentListParams,
): Promise<Stripe.InvoicePayment[]> {
  const page = await call(() => reader.invoicePayments.list({ ...of, limit: MEMBERS_MAX }))
  if (page.has_more) throw new SourceUnavailableError(`an invoice has more than ${MEMBERS_MAX} payments`)
  return page.data
}

const session = (config: StripeConfig, raw: Stripe.Checkout.Session, memberIds: string[]) =>
  readable(config, 'payment', raw, (each) => sessionPayment(config, each, memberIds))

const invoice = (config: StripeConfig, raw: Stripe.Invoice, memberIds: string[]) =>
  readable(config, 'payment', raw, (each) => invoicePayment(config, each, memberIds))

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

const idOf = (value: string | { id?: string } | null | undefined): string | null =>
  typeof value === 'string' ? value : (value?.id ?? null)

/** Asks for one object. An answer is as old as its first part. */
async function one<T>(
  { call }: StripeReader,
  kind: IdKind,
  id: string,
  ask: () => Promise<Stripe.Response<T>>,
  read: (raw: T) => ProviderRecord[] | Promise<ProviderRecord[]>,
): Promise<Resolved> {
  try {
    const raw = await call(ask)
    return { kind: 'found', at: answeredAt(raw.lastResponse.headers), objects: await read(raw) }
  } catch (error) {
    if (!isMissing(error)) throw error
    const at = answeredAt(error.headers ?? {})
    if (!IN_OTHER_MODE.test(error.message)) return { kind: 'absent', at }
    return { kind: 'found', at, objects: [otherMode(kind, id, error.message)] }
  }
}

/** "No such charge: 'ch_1'; a similar object exists in test mode, but a live mode key was used to make this request." */
const IN_OTHER_MODE = /exists in (?:test|live) mode/

const isMissing = (error: unknown): error is InstanceType<typeof Stripe.errors.StripeError> =>
  error instanceof Stripe.errors.StripeError && error.code === 'resource_missing'

const otherMode = (kind: IdKind, id: string, reason: string): ProviderUnreadable => ({
  kind: 'unreadable',
  of: kind === 'charge' || kind === 'refund' || kind === 'dispute' ? kind : 'payment',
  id,
  reason,
  paymentIntentId: null,
  createdAt: null,
  otherMode: true,
  scope: null,
  key: null,
  step: null,
  reference: null,
  actionId: null,
})
