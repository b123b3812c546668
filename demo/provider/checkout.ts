import { z } from 'zod'
import { parseAmount, parseCurrency } from './amounts'
import type { Draft, Outcome } from './context'
import { invalid, missing } from './failures'
import type { FormNode } from './form'
import type { CheckoutSession, Invoice } from './objects'
import { expand, mergeMetadata, metadata, parseParams, text } from './params'
import { confirm, newIntent } from './payment-intents'

const lineItem = z.strictObject({
  quantity: z.literal('1'),
  price_data: z.strictObject({
    currency: text,
    unit_amount: z.string(),
    product_data: z.strictObject({ name: text }),
  }),
})

const sessionParams = z.strictObject({
  mode: z.literal('payment'),
  line_items: z.strictObject({ 0: lineItem }),
  success_url: text.optional(),
  customer: text.optional(),
  metadata,
  payment_intent_data: z.strictObject({ metadata }).optional(),
  expand,
})

/** A page for one item. There is no payment intent until the customer pays. */
export function createSession(draft: Draft, form: FormNode): Outcome {
  const params = parseParams(sessionParams, form)
  const { price_data: price } = params.line_items[0]
  const currency = parseCurrency(price.currency)
  const session: CheckoutSession = {
    object: 'checkout.session',
    id: draft.newId('cs_test'),
    createdS: draft.createdS,
    amount: parseAmount(price.unit_amount, currency),
    currency,
    status: 'open',
    customer: params.customer ?? null,
    paymentIntent: null,
    metadata: mergeMetadata({}, params.metadata),
    intentMetadata: mergeMetadata({}, params.payment_intent_data?.metadata),
  }
  draft.save(session)
  return { status: 200, object: session }
}

/** The customer pays on the hosted page. */
export function paySession(draft: Draft, id: string): void {
  const session = draft.provider.state.sessions.get(id)
  if (session === undefined) throw missing('checkout.session', id)
  if (session.status !== 'open') throw invalid(`Session ${id} is ${session.status}.`)
  const { amount, currency, customer, intentMetadata } = session
  const intent = newIntent(draft, {
    amount,
    currency,
    customer,
    paymentMethod: 'pm_card_visa',
    metadata: intentMetadata,
  })
  confirm(draft, intent)
  const complete: CheckoutSession = { ...session, status: 'complete', paymentIntent: intent.id }
  draft.save(complete)
  draft.event('checkout.session.completed', complete)
}

/** A finalized invoice, as the dashboard or a subscription makes it. */
export function createInvoice(
  draft: Draft,
  asked: { amount: number; currency: string; customer: string; metadata: Readonly<Record<string, string>> },
): Invoice {
  const { amount, currency, customer } = asked
  const intent = newIntent(draft, { amount, currency, customer, metadata: {} })
  draft.save(intent)
  const invoice: Invoice = {
    object: 'invoice',
    id: draft.newId('in'),
    createdS: draft.createdS,
    ...asked,
    status: 'open',
    paymentIntent: intent.id,
  }
  draft.save(invoice)
  draft.event('invoice.finalized', invoice)
  return invoice
}

/** The customer pays the invoice's payment intent. */
export function payInvoice(draft: Draft, id: string): void {
  const { invoices, paymentIntents } = draft.provider.state
  const invoice = invoices.get(id)
  const intent = invoice === undefined ? undefined : paymentIntents.get(invoice.paymentIntent)
  if (invoice === undefined || intent === undefined) throw missing('invoice', id)
  confirm(draft, { ...intent, paymentMethod: 'pm_card_visa' })
  const paid: Invoice = { ...invoice, status: 'paid' }
  draft.save(paid)
  draft.event('invoice.paid', paid)
}
