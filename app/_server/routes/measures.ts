import { z } from 'zod'
import { readConsoleMeasures } from '@/lib/alerts/read-measures'
import { readEndpoints } from '@/lib/telemetry/read/requests/endpoints'
import { readLatencySeries } from '@/lib/telemetry/read/requests/latency-series'
import { readOutcomeSeries } from '@/lib/telemetry/read/requests/outcome-series'
import { readRateSeries } from '@/lib/telemetry/read/requests/rate-series'
import { windowOf, windowQuery } from '../api/inputs'
import { get, ok } from '../api/route'
import { measureSchema } from '../api/schemas'

const at = z.iso.datetime()
const count = z.union([z.number(), z.string()])
const range = { from: at, to: at }
const described = ({ from, to }: { from: Date; to: Date }) => ({
  from: from.toISOString(),
  to: to.toISOString(),
})

export const measureRoutes = [
  get({
    path: 'measures',
    tag: 'Measures',
    summary: 'The ten measures, M1–M10',
    description: 'Value, numerator, denominator, target and state over whole minutes. `null` = not measured.',
    verb: 'view',
    query: z.strictObject(windowQuery),
    responses: {
      200: {
        description: 'M1–M10',
        schema: z.object({ ...range, items: z.array(measureSchema), next: z.null() }),
      },
    },
    async handle(ctx, { query }) {
      const window = windowOf(query, ctx.clock.now())
      return ok({ ...described(window), items: await readConsoleMeasures(ctx, window), next: null })
    },
  }),

  get({
    path: 'series/outcomes',
    tag: 'Measures',
    summary: 'Requests by what became of them',
    description:
      'At most 300 buckets. `ingested: false` is a gap, not a zero; `complete: false` still changes.',
    verb: 'view',
    query: z.strictObject(windowQuery),
    responses: {
      200: {
        description: 'Buckets, oldest first',
        schema: z.object({
          bucketSeconds: z.number(),
          buckets: z.array(
            z.object({
              at,
              executed: z.number(),
              replayed: z.number(),
              conflict: z.number(),
              executedAgain: z.number(),
              held: z.number(),
              other: z.number(),
              ingested: z.boolean(),
              complete: z.boolean(),
            }),
          ),
        }),
      },
    },
    async handle(ctx, { query }) {
      const now = ctx.clock.now()
      return ok(await readOutcomeSeries(ctx.db, windowOf(query, now), now))
    },
  }),

  get({
    path: 'series/rates',
    tag: 'Measures',
    summary: 'One rate over time',
    description: 'Numerator and denominator a bucket; there is no point where nothing was counted.',
    verb: 'view',
    query: z.strictObject({ ...windowQuery, measure: z.enum(['M1', 'M2', 'M3', 'M5'], 'M1, M2, M3 or M5') }),
    responses: {
      200: {
        description: 'Points, oldest first',
        schema: z.object({
          bucketSeconds: z.number(),
          points: z.array(z.object({ at, numerator: count, denominator: count })),
        }),
      },
    },
    async handle(ctx, { query: { measure, ...asked } }) {
      return ok(await readRateSeries(ctx.db, { ...windowOf(asked, ctx.clock.now()), measure }))
    },
  }),

  get({
    path: 'series/latency',
    tag: 'Measures',
    summary: 'Intent-to-final latency over time',
    verb: 'view',
    query: z.strictObject(windowQuery),
    responses: {
      200: {
        description: 'Points, oldest first; none where no key ended',
        schema: z.object({
          bucketSeconds: z.number(),
          points: z.array(z.object({ at, p50Ms: z.number(), p95Ms: z.number(), p99Ms: z.number(), count })),
        }),
      },
    },
    async handle(ctx, { query }) {
      return ok(await readLatencySeries(ctx.db, windowOf(query, ctx.clock.now())))
    },
  }),

  get({
    path: 'endpoints',
    tag: 'Measures',
    summary: 'Endpoints, the most duplicate side effects first',
    verb: 'view',
    query: z.strictObject({
      from: windowQuery.from,
      to: windowQuery.to,
      service: windowQuery.service,
      client: windowQuery.client,
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    responses: {
      200: {
        description: 'The top of them; `total` says of how many',
        schema: z.object({
          total: z.number(),
          items: z.array(
            z.object({
              endpoint: z.string(),
              service: z.string(),
              version: z.string(),
              keyedRequests: z.number(),
              duplicates: z.number(),
              effectsTwice: z.number(),
              p95Ms: z.number().nullable(),
            }),
          ),
          next: z.null(),
        }),
      },
    },
    async handle(ctx, { query: { limit, ...asked } }) {
      const { total, rows } = await readEndpoints(ctx.db, { ...windowOf(asked, ctx.clock.now()), limit })
      return ok({ total, items: rows, next: null })
    },
  }),
]
