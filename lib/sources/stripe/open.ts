import Stripe from 'stripe'
import {
  type PageOf,
  type ProviderHint,
  type ProviderSource,
  SourceUnavailableError,
  type TimeRange,
} from '../contracts'
import { type Caller, createCaller } from './call'
import type { StripeConfig, StripeSecret } from './config'
import { createRefund } from './create-refund'
import { kindOfId, RESOLVABLE_ID } from './ids'
import { toCharge, toDispute, toRefund } from './objects'
import { createRateBudget, type Waiting } from './rate-budget'
import { resolveId, retrieve } from './resolve'

const PAGE_SIZE = 100
/** A charge with more refunds than this is not read to its end: an error, not a wrong sum. */
const REFUNDS_OF_CHARGE_MAX = 1000

/** Events that tell of a change to a charge or a refund. Stripe takes at most 20 types in a list. */
const EVENT_TYPES = [
  'charge.captured',
  'charge.dispute.closed',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.expired',
  'charge.failed',
  'charge.pending',
  'charge.refunded',
  'charge.succeeded',
  'charge.updated',
  'refund.created',
  'refund.failed',
  'refund.updated',
]

const ambient: Waiting = {
  nowMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: Math.random,
}

/** Stripe through its own SDK: separate keys for reading and writing, its version pinned. */
export function openStripeSource(
  config: StripeConfig,
  secret: StripeSecret,
  waiting: Waiting = ambient,
): ProviderSource {
  const reader = createClient(config, secret.readKey)
  const writer = secret.writeKey === undefined ? undefined : createClient(config, secret.writeKey)
  const budget = createRateBudget(config.requestsPerSecond, waiting)
  const transient = createCaller(config.attemptsMax, budget, waiting)
  const call: Caller = async (request) => {
    try {
      return await transient(request)
    } catch (error) {
      throw error instanceof Stripe.errors.StripeError && error.code !== 'resource_missing'
        ? new SourceUnavailableError(`the provider answered: ${error.message}`, { cause: error })
        : error
    }
  }
  const chargeParams = (prefix = '') => ({
    expand: ['payment_intent', ...(config.fees ? ['balance_transaction'] : [])].map((name) => prefix + name),
  })
  const stripe = { config, reader, call, chargeParams }
  return {
    kind: 'provider',
    mode: config.mode,
    effectNames: config.effectNames,
    canRefund: writer !== undefined,
    resolvableId: RESOLVABLE_ID,
    now: async () => sentAt(await call(() => reader.charges.list({ limit: 1 }))),
    async listCharges(range, cursor) {
      const params = { ...pageParams(range, cursor), ...chargeParams('data.') }
      const page = await call(() => reader.charges.list(params))
      return toPage(page, (charge) => toCharge(config, charge))
    },
    async listRefunds(range, cursor) {
      const page = await call(() => reader.refunds.list(pageParams(range, cursor)))
      return toPage(page, (refund) => toRefund(config, refund))
    },
    async listDisputes(range, cursor) {
      if (!config.disputes) return { items: [], next: null }
      const page = await call(() => reader.disputes.list(pageParams(range, cursor)))
      return toPage(page, (dispute) => toDispute(config, dispute))
    },
    async listHints(range, cursor) {
      const page = await call(() => reader.events.list({ ...pageParams(range, cursor), types: EVENT_TYPES }))
      const { items, next } = toPage(page, (event) => toHint(config, event))
      return { items: items.filter((hint) => hint !== null), next }
    },
    resolve: (id) => resolveId(stripe, id),
    async retrieveCharge(id) {
      if (kindOfId(id) !== 'charge') throw new SourceUnavailableError(`${id} is not the id of a charge`)
      const charge = await retrieve(() => call(() => reader.charges.retrieve(id, chargeParams())))
      return charge === null ? null : toCharge(config, charge)
    },
    async refundsOfCharge(chargeId) {
      const refunds: ReturnType<typeof toRefund>[] = []
      for (
        let cursor: string | undefined;
        refunds.length < REFUNDS_OF_CHARGE_MAX;
        cursor = refunds.at(-1)?.id
      ) {
        const after = cursor === undefined ? {} : { starting_after: cursor }
        const page = await call(() => reader.refunds.list({ charge: chargeId, limit: PAGE_SIZE, ...after }))
        refunds.push(...page.data.map((refund) => toRefund(config, refund)))
        if (!page.has_more) return refunds
      }
      throw new SourceUnavailableError(`${chargeId} has more than ${REFUNDS_OF_CHARGE_MAX} refunds`)
    },
    async createRefund(refund) {
      if (writer === undefined)
        return { kind: 'refused', code: 'no_write_key', message: 'No write key is configured.' }
      return createRefund(config, writer, transient, refund)
    },
    async close() {},
  }
}

function createClient(config: StripeConfig, key: string): Stripe {
  const base = config.baseUrl === undefined ? undefined : new URL(config.baseUrl)
  return new Stripe(key, {
    apiVersion: config.apiVersion,
    // Repeating is ours: within the budget, with the provider's Retry-After.
    maxNetworkRetries: 0,
    timeout: config.timeoutMs,
    telemetry: false,
    appInfo: { name: 'Idemscope' },
    ...(base === undefined
      ? {}
      : {
          host: base.hostname,
          port: base.port || (base.protocol === 'https:' ? '443' : '80'),
          protocol: base.protocol === 'https:' ? ('https' as const) : ('http' as const),
        }),
  })
}

/** The `Date` of an answer: the one clock that the provider's own stamps can be compared with. */
function sentAt({ lastResponse }: Stripe.Response<unknown>): Date {
  const at = new Date(lastResponse.headers.date ?? '')
  if (Number.isNaN(at.getTime()))
    throw new SourceUnavailableError('the provider sent an answer without a date')
  return at
}

/**
 * Stripe lists newest first, by whole seconds. With the upper bound fixed in the past no new object moves the pages,
 * and the cursor is an object's id: a second with more objects than a page loses none.
 */
function pageParams(range: TimeRange, cursor: string | null) {
  return {
    limit: PAGE_SIZE,
    created: { gte: Math.floor(range.from.getTime() / 1000), lt: Math.floor(range.to.getTime() / 1000) },
    ...(cursor === null ? {} : { starting_after: cursor }),
  }
}

function toPage<T extends { id: string }, R>(
  page: { data: T[]; has_more: boolean },
  read: (object: T) => R,
): PageOf<R> {
  const last = page.data.at(-1)
  if (page.has_more && last === undefined) {
    throw new SourceUnavailableError('the provider sent an empty page and says that there is more')
  }
  return { items: page.data.map(read), next: page.has_more && last !== undefined ? last.id : null }
}

function toHint(config: StripeConfig, event: Stripe.Event): ProviderHint | null {
  const { object } = event.data
  if (!('object' in object)) return null
  const at = new Date(event.created * 1000)
  if (object.object === 'charge') return { eventId: event.id, at, object: toCharge(config, object) }
  if (object.object === 'dispute') return { eventId: event.id, at, object: toDispute(config, object) }
  if (object.object === 'refund') return { eventId: event.id, at, object: toRefund(config, object) }
  return null
}
