import Stripe from 'stripe'
import {
  type ProviderRecordKind,
  type ProviderSource,
  SourceUnavailableError,
  type TimeRange,
} from '../contracts'
import { answeredAt } from './answered-at'
import { type Caller, createCaller, isRateLimit } from './call'
import type { StripeConfig, StripeSecret } from './config'
import { createRefund } from './create-refund'
import { EVENT_TYPES, toHint } from './events'
import { kindOfId, RESOLVABLE_ID } from './ids'
import { toDispute, toRefund } from './objects'
import { ambientWaiting, createRateBudget, type Waiting } from './rate-budget'
import { chargeParams, disputesOfCharge, readCharges, refundParams, refundsOfCharge } from './read-charges'
import { paymentsAbove, resolveId } from './resolve'
import { readable } from './unreadable'

const PAGE_SIZE = 100

/** Stripe through its own SDK: separate keys for reading and writing, its version pinned. */
export function openStripeSource(
  config: StripeConfig,
  secret: StripeSecret,
  waiting: Waiting = ambientWaiting,
): ProviderSource {
  const reader = createClient(config, secret.readKey)
  const writer = secret.writeKey === undefined ? undefined : createClient(config, secret.writeKey)
  const budget = createRateBudget(config.requestsPerSecond, waiting)
  const transient = createCaller(config.attemptsMax, budget, waiting)
  const once = createCaller(config.attemptsMax, budget, waiting, isRateLimit)
  const call: Caller = async (request) => {
    try {
      return await transient(request)
    } catch (error) {
      throw error instanceof Stripe.errors.StripeError && error.code !== 'resource_missing'
        ? unavailable(error)
        : error
    }
  }
  const stripe = { config, reader, call }
  const one =
    <T, R>(of: ProviderRecordKind, read: (config: StripeConfig, raw: T) => R) =>
    (raw: T) =>
      readable(config, of, raw, (each) => read(config, each))
  return {
    kind: 'provider',
    mode: config.mode,
    effectNames: config.effectNames,
    canRefund: writer !== undefined,
    idempotencyWindowMs: config.idempotencyWindowMs ?? null,
    resolvableId: RESOLVABLE_ID,
    now: async () => answeredAt((await call(() => reader.refunds.list({ limit: 1 }))).lastResponse.headers),
    async listCharges(range, cursor) {
      const params = { ...pageParams(range, cursor), ...chargeParams(config, 'data.') }
      const page = await call(() => reader.charges.list(params))
      return toPage(page, await readCharges(stripe, page.data))
    },
    async listRefunds(range, cursor) {
      const params = { ...pageParams(range, cursor), ...refundParams(config, 'data.') }
      const page = await call(() => reader.refunds.list(params))
      return toPage(page, page.data.map(one('refund', toRefund)))
    },
    async listDisputes(range, cursor) {
      if (!config.disputes) return { items: [], next: null, at: range.to }
      const page = await call(() => reader.disputes.list(pageParams(range, cursor)))
      return toPage(page, page.data.map(one('dispute', toDispute)))
    },
    async listHints(range, cursor) {
      const page = await call(() => reader.events.list({ ...pageParams(range, cursor), types: EVENT_TYPES }))
      return toPage(
        page,
        page.data.map((event) => toHint(config, event)),
      )
    },
    resolve: (id, of) => resolveId(stripe, id, of),
    paymentsAbove: (intentId) => paymentsAbove(stripe, intentId),
    async retrieveCharge(id) {
      if (kindOfId(id) !== 'charge') throw new SourceUnavailableError(`${id} is not the id of a charge`)
      const resolved = await resolveId(stripe, id)
      if (resolved.kind !== 'found') return null
      const [charge] = resolved.objects
      if (charge?.kind === 'charge') return charge
      throw new SourceUnavailableError(
        `${id} cannot be read: ${charge?.kind === 'unreadable' ? charge.reason : 'it is no charge'}`,
      )
    },
    refundsOfCharge: (chargeId) => refundsOfCharge(stripe, chargeId),
    disputesOfCharge: (chargeId) => disputesOfCharge(stripe, chargeId),
    async createRefund(refund) {
      if (writer === undefined)
        return { kind: 'refused', code: 'no_write_key', message: 'No write key is configured.' }
      return createRefund(config, writer, once, refund)
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

/** Said so that whoever reads it knows what to change; Stripe's own words name the right that is missing. */
function unavailable(error: InstanceType<typeof Stripe.errors.StripeError>): SourceUnavailableError {
  if (error instanceof Stripe.errors.StripePermissionError) {
    const message = `the read key lacks a right: ${error.message}`
    return new SourceUnavailableError(message, { cause: error, fault: 'permission' })
  }
  if (error instanceof Stripe.errors.StripeAuthenticationError) {
    const message = `the provider refuses the key: ${error.message}`
    return new SourceUnavailableError(message, { cause: error, fault: 'credentials' })
  }
  return new SourceUnavailableError(`the provider answered: ${error.message}`, { cause: error })
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
  page: Stripe.Response<Stripe.ApiList<T>>,
  items: R[],
): { items: R[]; next: string | null; at: Date } {
  const last = page.data.at(-1)
  if (page.has_more && last === undefined) {
    throw new SourceUnavailableError('the provider sent an empty page and says that there is more')
  }
  const next = page.has_more && last !== undefined ? last.id : null
  return { items, next, at: answeredAt(page.lastResponse.headers) }
}
