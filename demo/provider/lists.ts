import { z } from 'zod'
import type { Provider } from './context'
import { missing } from './failures'
import type { FormNode } from './form'
import type {
  Charge,
  CheckoutSession,
  Dispute,
  Invoice,
  Mail,
  PaymentIntent,
  ProviderEvent,
  Refund,
  Stored,
} from './objects'
import { expand, parseParams, text } from './params'
import type { Collection } from './state'

const second = z
  .string()
  .regex(/^\d{1,12}$/)
  .transform(Number)

const range = z.strictObject({ gt: second, gte: second, lt: second, lte: second }).partial()

const page = {
  limit: z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(1).max(100)).default(10),
  starting_after: text.optional(),
  ending_before: text.optional(),
  created: z.union([second, range]).optional(),
  expand,
}

const paymentIntentList = z.strictObject({ ...page, customer: text.optional() })
const chargeList = z.strictObject({ ...page, customer: text.optional(), payment_intent: text.optional() })
const refundList = z.strictObject({ ...page, charge: text.optional(), payment_intent: text.optional() })
const eventList = z.strictObject({
  ...page,
  type: text.optional(),
  types: z.record(z.string(), text).optional(),
})

const sessionList = z.strictObject({ ...page, customer: text.optional(), payment_intent: text.optional() })
const invoiceList = z.strictObject({ ...page, customer: text.optional() })
const mailList = z.strictObject({ ...page, to: text.optional() })
const invoicePaymentList = z.strictObject({
  ...page,
  invoice: text.optional(),
  payment: z.strictObject({ type: z.literal('payment_intent'), payment_intent: text }).optional(),
})

export interface Page {
  readonly rows: readonly Stored[]
  readonly hasMore: boolean
}

export const lists = {
  payment_intents: (provider: Provider, form: FormNode): Page => {
    const params = parseParams(paymentIntentList, form)
    const accept = (row: PaymentIntent) => params.customer === undefined || row.customer === params.customer
    return readPage(provider, provider.state.paymentIntents, params, accept)
  },
  charges: (provider: Provider, form: FormNode): Page => {
    const params = parseParams(chargeList, form)
    const accept = (row: Charge) =>
      (params.customer === undefined || row.customer === params.customer) &&
      (params.payment_intent === undefined || row.paymentIntent === params.payment_intent)
    return readPage(provider, provider.state.charges, params, accept)
  },
  refunds: (provider: Provider, form: FormNode): Page => {
    const params = parseParams(refundList, form)
    const accept = (row: Refund) =>
      (params.charge === undefined || row.charge === params.charge) &&
      (params.payment_intent === undefined || row.paymentIntent === params.payment_intent)
    return readPage(provider, provider.state.refunds, params, accept)
  },
  disputes: (provider: Provider, form: FormNode): Page => {
    const params = parseParams(refundList, form)
    const accept = (row: Dispute) =>
      (params.charge === undefined || row.charge === params.charge) &&
      (params.payment_intent === undefined || row.paymentIntent === params.payment_intent)
    return readPage(provider, provider.state.disputes, params, accept)
  },
  'checkout/sessions': (provider: Provider, form: FormNode): Page => {
    const params = parseParams(sessionList, form)
    const accept = (row: CheckoutSession) =>
      (params.customer === undefined || row.customer === params.customer) &&
      (params.payment_intent === undefined || row.paymentIntent === params.payment_intent)
    return readPage(provider, provider.state.sessions, params, accept)
  },
  invoices: (provider: Provider, form: FormNode): Page => {
    const params = parseParams(invoiceList, form)
    const accept = (row: Invoice) => params.customer === undefined || row.customer === params.customer
    return readPage(provider, provider.state.invoices, params, accept)
  },
  /** Each invoice has one: the rows are the invoices. */
  invoice_payments: (provider: Provider, form: FormNode): Page => {
    const params = parseParams(invoicePaymentList, form)
    const accept = (row: Invoice) =>
      (params.invoice === undefined || row.id === params.invoice) &&
      (params.payment === undefined || row.paymentIntent === params.payment.payment_intent)
    return readPage(provider, provider.state.invoices, params, accept)
  },
  mails: (provider: Provider, form: FormNode): Page => {
    const params = parseParams(mailList, form)
    const accept = (row: Mail) => params.to === undefined || row.to === params.to
    return readPage(provider, provider.state.mails, params, accept)
  },
  events: (provider: Provider, form: FormNode): Page => {
    const params = parseParams(eventList, form)
    const wanted = params.types === undefined ? [] : Object.values(params.types)
    if (params.type !== undefined) wanted.push(params.type)
    const { lateMs, loseEvery, twice, reversed } = provider.switches.events
    const { events } = provider.state
    const shownUntilS = Math.floor((provider.nowMs() - lateMs) / 1000)
    const accept = (row: ProviderEvent) =>
      (wanted.length === 0 || wanted.some((type) => matchesType(row.type, type))) &&
      (lateMs === 0 || row.createdS <= shownUntilS) &&
      (loseEvery === 0 || ((events.placeOf(row.id) ?? 0) + 1) % loseEvery !== 0)
    const { rows, hasMore } = readPage(provider, events, params, accept)
    const shown = twice ? rows.flatMap((row) => [row, row]) : rows
    // The last row stays last: it is the cursor of the next page.
    return { rows: reversed ? [...shown.slice(0, -1).reverse(), ...shown.slice(-1)] : shown, hasMore }
  },
} as const

/** `charge.*` asks for a whole family. */
function matchesType(type: string, wanted: string): boolean {
  return wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted
}

interface PageParams {
  readonly limit: number
  readonly starting_after?: string | undefined
  readonly ending_before?: string | undefined
  readonly created?: number | z.output<typeof range> | undefined
}

/** Newest first. `starting_after` goes towards older rows, `ending_before` towards newer ones. */
function readPage<T extends Stored>(
  provider: Provider,
  rows: Collection<T>,
  params: PageParams,
  accept: (row: T) => boolean,
): Page {
  const { fromS, toS } = bounds(provider, params)
  const low = rows.countUntil(fromS - 1)
  const high = rows.countUntil(toS)
  if (params.ending_before !== undefined) {
    const found = collect(rows, placeOf(rows, params.ending_before) + 1, high, 1, params.limit, low, accept)
    return { rows: found.rows.reverse(), hasMore: found.hasMore }
  }
  const start =
    params.starting_after === undefined ? high - 1 : Math.min(placeOf(rows, params.starting_after), high) - 1
  return collect(rows, start, high, -1, params.limit, low, accept)
}

function collect<T extends Stored>(
  rows: Collection<T>,
  start: number,
  high: number,
  step: 1 | -1,
  limit: number,
  low: number,
  accept: (row: T) => boolean,
): { rows: T[]; hasMore: boolean } {
  const found: T[] = []
  for (let place = step === 1 ? Math.max(start, low) : start; place >= low && place < high; place += step) {
    const row = rows.at(place)
    if (row === undefined || !accept(row)) continue
    if (found.length === limit) return { rows: found, hasMore: true }
    found.push(row)
  }
  return { rows: found, hasMore: false }
}

function placeOf<T extends Stored>(rows: Collection<T>, id: string): number {
  const place = rows.placeOf(id)
  if (place === undefined) throw missing('object', id, 'starting_after')
  return place
}

/** The seconds asked for, both inclusive; never younger than the list lag. */
function bounds(provider: Provider, params: PageParams): { fromS: number; toS: number } {
  const { created } = params
  const lagMs = provider.switches.listLagMs
  const visibleS = lagMs === 0 ? Number.MAX_SAFE_INTEGER : Math.floor((provider.nowMs() - lagMs) / 1000)
  if (created === undefined) return { fromS: 0, toS: visibleS }
  if (typeof created === 'number') return { fromS: created, toS: Math.min(created, visibleS) }
  const fromS = Math.max(created.gte ?? 0, (created.gt ?? -1) + 1)
  const toS = Math.min(created.lte ?? Number.MAX_SAFE_INTEGER, (created.lt ?? Number.MAX_SAFE_INTEGER) - 1)
  return { fromS, toS: Math.min(toS, visibleS) }
}
