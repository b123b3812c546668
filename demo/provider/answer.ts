import { Draft, type Outcome, type Provider } from './context'
import { renderExpanded } from './expand'
import { missing, StripeFailure } from './failures'
import { type FormNode, parseForm } from './form'
import { findAnswer, hashRequest, keyInUse } from './idempotency'
import { lists } from './lists'
import type { KeptAnswer } from './objects'
import { createPaymentIntent } from './payment-intents'
import { renderInvoicePayment } from './render'
import { findRoute, type Route } from './routes'
import { take } from './switches'

export interface Call {
  readonly method: string
  readonly pathname: string
  /** Query of a GET, body of a POST. */
  readonly encoded: string
  readonly idempotencyKey: string | undefined
  readonly requestId: string
  readonly mayWrite: boolean
  /** Of the request (`Stripe-Version`). */
  readonly apiVersion: string
}

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** Answers one API call. Faults that a switch asks for are thrown like Stripe's own. */
export async function answer(provider: Provider, keysInUse: Set<string>, call: Call): Promise<Answer> {
  const route = findRoute(call.method, call.pathname)
  if (route === undefined) {
    throw new StripeFailure(
      404,
      'invalid_request_error',
      `Unrecognized request URL (${call.method}: ${call.pathname}).`,
    )
  }
  const request = `${call.method} ${call.pathname}`
  const denied = provider.switches.denied.find((name) => call.pathname.startsWith(`/v1/${name}`))
  if (denied !== undefined) throw forbidden(denied)
  const limited = take(provider.switches.rateLimit, request)
  if (limited !== undefined) throw tooManyRequests(limited.retryAfterS)
  const form = parseForm(call.encoded)
  if (route.kind !== 'write') {
    if (take(provider.switches.serverError, request) !== undefined) throw serverError()
    const slow = take(provider.switches.slow, request)
    if (slow !== undefined) await delay(slow.delayMs)
    const body = JSON.stringify(read(provider, route, form, request))
    if (route.kind === 'list' && take(provider.switches.midPage, request) !== undefined) {
      await chargeBetweenPages(provider)
    }
    return { status: 200, body, headers: {} }
  }
  if (!call.mayWrite) {
    throw forbidden('write')
  }
  const failing = take(provider.switches.serverError, request)
  if (failing === undefined) return write(provider, keysInUse, call, route, form)
  if (failing.effect === 'after') await write(provider, keysInUse, call, route, form)
  if (failing.kept) await keepError(provider, call)
  throw serverError()
}

/** Stripe stores the answer of a request that it began, a 500 too, and replays it for the key. */
async function keepError(provider: Provider, call: Call): Promise<void> {
  const { idempotencyKey: key, requestId } = call
  if (key === undefined) return
  const requestHash = hashRequest(call.method, call.pathname, call.encoded)
  const { status, body } = serverError()
  await provider.exclusive(() =>
    new Draft(provider, call.apiVersion).commit({
      key,
      requestHash,
      atMs: provider.nowMs(),
      requestId,
      status,
      body,
    }),
  )
}

async function write(
  provider: Provider,
  keysInUse: Set<string>,
  call: Call,
  route: Extract<Route, { kind: 'write' }>,
  form: FormNode,
): Promise<Answer> {
  const key = call.idempotencyKey
  if (key === undefined) return execute(provider, call, route, form)
  const requestHash = hashRequest(call.method, call.pathname, call.encoded)
  if (keysInUse.has(key)) throw keyInUse(key)
  const kept = findAnswer(provider, key, requestHash)
  if (kept !== undefined) return replay(kept)
  keysInUse.add(key)
  try {
    return await execute(provider, call, route, form, { key, requestHash })
  } finally {
    keysInUse.delete(key)
  }
}

async function execute(
  provider: Provider,
  call: Call,
  route: Extract<Route, { kind: 'write' }>,
  form: FormNode,
  keyed?: { key: string; requestHash: string },
): Promise<Answer> {
  const slow = take(provider.switches.slow, `${call.method} ${call.pathname}`)
  if (slow !== undefined) await delay(slow.delayMs)
  return provider.exclusive(async () => {
    const draft = new Draft(provider, call.apiVersion)
    const outcome = route.run(draft, form)
    const body = outcomeBody(provider, draft, outcome, form)
    const kept: KeptAnswer | undefined =
      keyed === undefined
        ? undefined
        : { ...keyed, atMs: provider.nowMs(), requestId: call.requestId, status: outcome.status, body }
    await draft.commit(kept)
    return { status: outcome.status, body, headers: {} }
  })
}

/** The body names objects of this very draft, so expansion looks there first. */
function outcomeBody(provider: Provider, draft: Draft, outcome: Outcome, form: FormNode): string {
  if (outcome.status !== 200) return outcome.body
  const fresh = new Map(draft.put.map((stored) => [stored.id, stored]))
  const json = renderExpanded(provider.state, outcome.object, form, '', (id) => fresh.get(id))
  return JSON.stringify(json)
}

/** What another customer does while somebody reads page by page. */
const chargeBetweenPages = (provider: Provider): Promise<void> =>
  provider.exclusive(async () => {
    const draft = new Draft(provider)
    createPaymentIntent(
      draft,
      parseForm('amount=1050&currency=usd&confirm=true&payment_method=pm_card_visa&customer=between_pages'),
    )
    await draft.commit()
  })

function read(
  provider: Provider,
  route: Exclude<Route, { kind: 'write' }>,
  form: FormNode,
  request: string,
): unknown {
  if (route.kind === 'retrieve') {
    const found = retrieve(provider, route)
    if (provider.switches.inLiveMode.includes(route.id)) throw inOtherMode(route.id)
    if (found === undefined) throw missing(route.name.slice(0, -1), route.id)
    return renderExpanded(provider.state, found, form)
  }
  const page =
    take(provider.switches.emptyList, request) === undefined
      ? lists[route.name](provider, form)
      : { rows: [], hasMore: false }
  return {
    object: 'list',
    data: page.rows.map((row) =>
      route.name === 'invoice_payments' && row.object === 'invoice'
        ? renderInvoicePayment(row)
        : renderExpanded(provider.state, row, form, 'data.'),
    ),
    has_more: page.hasMore,
    url: `/v1/${route.name}`,
  }
}

function retrieve(provider: Provider, route: Extract<Route, { kind: 'retrieve' }>) {
  const { paymentIntents, charges, refunds, disputes, sessions, invoices, mails, events } = provider.state
  const collections = {
    payment_intents: paymentIntents,
    charges,
    refunds,
    disputes,
    'checkout/sessions': sessions,
    invoices,
    invoice_payments: invoices,
    mails,
    events,
  } as const
  return collections[route.name].get(route.id)
}

function replay(kept: KeptAnswer): Answer {
  const headers = { 'idempotent-replayed': 'true', 'original-request': kept.requestId }
  return { status: kept.status, body: kept.body, headers }
}

/** A restricted key; the message names the right, as Stripe's does. */
const forbidden = (right: string): StripeFailure =>
  new StripeFailure(
    403,
    'invalid_request_error',
    `The provided key does not have the required permissions for this endpoint. Having the '${right}' permission would allow this request to continue.`,
  )

const inOtherMode = (id: string): StripeFailure =>
  new StripeFailure(
    404,
    'invalid_request_error',
    `No such object: '${id}'; a similar object exists in live mode, but a test mode key was used to make this request.`,
    { code: 'resource_missing', param: 'id' },
  )

function tooManyRequests(retryAfterS: number): StripeFailure {
  return new StripeFailure(
    429,
    'invalid_request_error',
    'Request rate limit exceeded.',
    { code: 'rate_limit' },
    { 'retry-after': String(retryAfterS), 'stripe-rate-limited-reason': 'global-rate' },
  )
}

function serverError(): StripeFailure {
  return new StripeFailure(500, 'api_error', 'An unknown error occurred.')
}

function delay(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}
