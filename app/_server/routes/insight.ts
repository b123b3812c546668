import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { env } from '@/lib/env'
import { FINDING_KINDS } from '@/lib/insight/clients/client'
import { clientText } from '@/lib/insight/clients/client-text'
import { readClients } from '@/lib/insight/clients/read-clients'
import { idParam, windowOf, windowQuery } from '../api/inputs'
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

export const insightRoutes = [
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
]
