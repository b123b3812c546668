import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { INCIDENT_SEVERITIES } from '@/lib/core/incident-states'
import { SQLSTATE, sqlStateOf } from '@/lib/core/sql-state'
import { env } from '@/lib/env'
import { FINDING_KINDS } from '@/lib/insight/clients/client'
import { clientText } from '@/lib/insight/clients/client-text'
import { readClients } from '@/lib/insight/clients/read-clients'
import { compareTtls } from '@/lib/insight/cost/compare-ttls'
import { bytesPerRowOf, readDuplicatesAvoided, readStorageCost } from '@/lib/insight/cost/read-cost'
import { lastDays, readExecutive } from '@/lib/insight/executive/read-executive'
import { readPrices } from '@/lib/retention/price'
import { idParam, instant, text, windowOf, windowQuery } from '../api/inputs'
import { get, ok } from '../api/route'
import { moneyJson } from '../api/schemas'

const at = z.iso.datetime()
const count = z.union([z.number(), z.string()])
const rangeQuery = z.strictObject({ from: windowQuery.from, to: windowQuery.to })

const clientSchema = z
  .object({
    client: z.string().nullable().describe('null = the requests did not tell who sent them'),
    isOthers: z.boolean().describe('All callers beyond those that are kept apart, together'),
    keyedRequests: count,
    replayed: count,
    mismatches: count.describe('Requests with a known key and another body'),
    expiredRetries: count,
    missingKeys: z.object({
      requests: count,
      atLeast: z.boolean().describe('Some requests without a key did not tell whose they are'),
    }),
    keys: z
      .object({
        keys: z.number(),
        retried: z.number(),
        requestsPerKey: z.number(),
        mostRequests: z.number(),
        reused: z.number().describe('Keys that came again with another body'),
        retryWindowMs: z
          .object({ p50: z.number(), p95: z.number(), p99: z.number(), longest: z.number() })
          .nullable()
          .describe('null = no key came twice'),
        newKeys: z.number(),
        newKeysPeakPerMinute: z.number(),
        shared: z.number().describe('Keys that another caller sent too'),
        sentByOtherFirst: z.number(),
      })
      .nullable()
      .describe('null = not measured'),
    suspected: z
      .object({ cases: z.number(), open: z.number(), money: z.array(moneyJson) })
      .nullable()
      .describe('One reference charged twice under two keys; null = nothing was compared yet'),
    keyTimes: z
      .object({ sampled: z.number(), minute: z.number(), hour: z.number(), day: z.number() })
      .nullable()
      .describe('Keys that hold the time, of a sample; null = no store that is read has keys of this caller'),
    findings: z.array(
      z.object({
        kind: z.enum(FINDING_KINDS),
        tone: z.enum(['bad', 'warn']),
        says: z.string(),
        asks: z.string(),
      }),
    ),
  })
  .meta({ id: 'Client' })

const costSchema = z
  .object({ amount: z.string().describe('Major units, to a millionth'), currency: z.string() })
  .meta({ id: 'Cost' })

const ttlSide = z.object({
  ttlMs: z.number(),
  beyond: z
    .object({
      retries: z.number().describe('Came this long or longer after the first request of their key'),
      executions: z.number().describe('Of these, those that would have found no record'),
      keys: z.number(),
    })
    .nullable()
    .describe('null = not measured: the window is shorter than the TTL, or no key came'),
  rowsHeld: z.number().nullable().describe('Records held at any time'),
  bytesHeld: z.number().nullable().describe('null = its size is not known'),
  costPerMonth: costSchema.nullable().describe('null = no price was entered'),
})

const DAY_MS = 86_400_000
const ttl = z.coerce
  .number('a time in ms')
  .int()
  .min(1_000)
  .max(400 * DAY_MS)

/** A search that the server ended becomes the API's own error. */
const tooManyKeys = (error: unknown): never => {
  if (sqlStateOf(error) !== SQLSTATE.queryCanceled) throw error
  throw new AppError(
    'timeout',
    'The window holds too many keys to look through: choose a shorter one, or one endpoint.',
    {
      cause: error,
    },
  )
}

const money = z.array(moneyJson)
const medianMs = z.number().nullable().describe('Median, ms; null = of none')
const effectsSchema = z.object({
  committed: count,
  duplicates: count,
  rate: z.number().nullable().describe('null = not measured'),
})

const executiveSchema = z
  .object({
    from: at,
    to: at,
    days: z.number(),
    measuredDays: z.number().describe('Days with a committed side effect'),
    sentence: z.object({ tone: z.enum(['ok', 'warn', 'bad', 'unknown']), text: z.string() }),
    effects: effectsSchema.extend({ target: z.number() }),
    confirmed: z
      .object({
        cases: z.number().describe('First seen in the period'),
        open: z.number(),
        refunds: z.number(),
        refunded: money,
        fees: money.describe('What the provider kept of the confirmed duplicates'),
        feesUntold: z.number(),
        detectMs: medianMs,
        mendMs: medianMs,
        resolved: z.number(),
      })
      .nullable()
      .describe('null = nothing was compared yet'),
    suspected: z.object({ effects: z.number(), untold: z.number(), amounts: money }),
    atRisk: money.describe('Open cases and suspected duplicates'),
    incidents: z
      .object({
        incidents: z.number(),
        open: z.number(),
        detectMs: medianMs,
        acknowledgeMs: medianMs,
        mitigateMs: medianMs,
      })
      .nullable()
      .describe('null = nothing was ever watched'),
    trend: z.object({
      bucketSeconds: z.number(),
      points: z.array(z.object({ at, numerator: count, denominator: count })),
    }),
    months: z.array(
      z.object({
        month: z.string().describe('UTC: `2026-11`'),
        partial: z.boolean().describe('It has not ended'),
        effects: effectsSchema,
        incidents: z
          .object({ count: z.number(), bySeverity: z.partialRecord(z.enum(INCIDENT_SEVERITIES), z.number()) })
          .nullable()
          .describe('null = nothing was watched in it'),
      }),
    ),
    budgets: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        value: z.number().nullable(),
        target: z.number().nullable(),
        budgetLeft: z.number().nullable().describe('Share; below 0 = overspent; null = not measured'),
      }),
    ),
    storage: z.object({
      bytes: z
        .number()
        .nullable()
        .describe('null = no store was sampled in the last day, or one has not told its size'),
      costPerMonth: z.array(costSchema),
      unpriced: z.number().describe('Stores without a price'),
    }),
  })
  .meta({ id: 'Executive' })

const PERIOD_DAYS = 30

export const insightRoutes = [
  get({
    path: 'executive',
    tag: 'Insight',
    summary: 'A period for the management: one sentence, rates, money, incidents, times',
    description: 'Whole days (UTC), from roll-ups: `from` is rounded down to its day.',
    verb: 'view',
    query: z.strictObject({
      from: instant.optional().describe('Default: 29 days before the day of `to`'),
      to: windowQuery.to,
    }),
    responses: { 200: { description: 'The period', schema: executiveSchema } },
    async handle(ctx, { query: { from, to = ctx.clock.now() } }) {
      return ok(await readExecutive(ctx, windowOf({ from: from ?? lastDays(to, PERIOD_DAYS).from, to }, to)))
    },
  }),

  get({
    path: 'clients',
    tag: 'Insight',
    summary: 'Callers by how they send their keys, the worst findings first',
    description:
      'At most 1,001. Counts of requests are exact over whole minutes; `keys` is exact while keyed requests are kept (`keysFrom`); `keyTimes` is of a sample.',
    verb: 'view',
    query: rangeQuery,
    responses: {
      200: {
        description: 'All of them',
        schema: z.object({
          from: at,
          to: at,
          items: z.array(clientSchema),
          keysFrom: at.nullable().describe('`keys` is of the time from here on; null = of the whole window'),
          tooMany: z.boolean().describe('Too many keys to look through: `keys` is null'),
          next: z.null(),
        }),
      },
    },
    async handle(ctx, { query }) {
      const { from, to } = windowOf(query, ctx.clock.now())
      return ok({ from, to, ...(await readClients(ctx, { from, to })), next: null })
    },
  }),

  get({
    path: 'clients/{id}',
    tag: 'Insight',
    summary: 'One caller, with a text for its team',
    verb: 'view',
    params: idParam,
    query: rangeQuery,
    responses: {
      200: {
        description: 'The caller',
        schema: clientSchema.extend({ text: z.string().describe('Plain text, without secrets') }),
      },
    },
    async handle(ctx, { params, query }) {
      const { from, to } = windowOf(query, ctx.clock.now())
      const { items } = await readClients(ctx, { from, to })
      const view = items.find(({ client, isOthers }) => client === params.id && !isOthers)
      if (view === undefined)
        throw new AppError('not_found', 'No caller of this name sent a request in this time.')
      const environment = env().IDEMSCOPE_ENVIRONMENT.toUpperCase()
      return ok({ ...view, text: clientText(view, { environment, from, to }) })
    },
  }),

  get({
    path: 'retention/cost',
    tag: 'Insight',
    summary: 'What stores hold by tier, what that costs a month, and the duplicates that it avoids',
    verb: 'view',
    query: rangeQuery,
    responses: {
      200: {
        description: 'As it was last sampled in the window',
        schema: z.object({
          from: at,
          to: at,
          tiers: z.array(
            z.object({
              source: z.string(),
              tier: z.string(),
              rows: z.number(),
              bytes: z.number().nullable().describe('null = its engine has not told yet'),
              bytesPerRow: z.number().nullable(),
              ttlMs: z.number().nullable().describe('As two people agreed; null = as the service sets it'),
              costPerMonth: costSchema.nullable().describe('null = no price was entered'),
              sampledAt: at,
            }),
          ),
          bytes: z.number().nullable().describe('null = of one store it is not known'),
          costPerMonth: z.array(costSchema).describe('By currency, of the stores that have a price'),
          unpriced: z.array(z.string()).describe('Stores without a price'),
          avoided: z.array(
            z.object({
              endpoint: z.string(),
              avoided: count.describe('Requests that a record kept from executing again'),
              executedAgain: count.describe('Retries that came after the record had expired'),
            }),
          ),
        }),
      },
    },
    async handle(ctx, { query }) {
      const { from, to } = windowOf(query, ctx.clock.now())
      const [cost, avoided] = await Promise.all([
        readStorageCost(ctx.db, { from, to }),
        readDuplicatesAvoided(ctx.db, { from, to }),
      ])
      return ok({ from, to, ...cost, avoided })
    },
  }),

  get({
    path: 'retention/ttl-comparison',
    tag: 'Insight',
    summary: 'Two TTLs, replayed on the requests of a window',
    description:
      'Exact for the keys of the window; a retry whose first request came before it is not seen. An execution is an upper bound of a charge.',
    verb: 'view',
    query: rangeQuery.extend({
      ttlAMs: ttl.default(DAY_MS),
      ttlBMs: ttl.default(3 * DAY_MS),
      endpoint: windowQuery.endpoint,
      source: text
        .optional()
        .describe('Whose bytes a key and price count; default: the first that was sampled'),
    }),
    responses: {
      200: {
        description: 'Both sides',
        schema: z.object({
          keys: z.number().describe('Distinct keys observed'),
          atLeast: z.boolean().describe('Figures beyond the TTLs are lower bounds'),
          a: ttlSide,
          b: ttlSide,
        }),
      },
    },
    async handle(ctx, { query: { ttlAMs, ttlBMs, endpoint, source: asked, ...range } }) {
      const { from, to } = windowOf(range, ctx.clock.now())
      const [cost, prices] = await Promise.all([readStorageCost(ctx.db, { from, to }), readPrices(ctx.db)])
      const source = asked ?? cost.tiers[0]?.source
      const store =
        source === undefined
          ? { bytesPerRow: null, price: null }
          : { bytesPerRow: bytesPerRowOf(cost, source), price: prices.get(source) ?? null }
      const terms = { from, to, endpoint, ttlAMs, ttlBMs, ...store }
      return ok(await compareTtls(ctx.db, terms).catch(tooManyKeys))
    },
  }),
]
