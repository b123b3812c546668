import { z } from 'zod'
import { reasonSchema } from '@/lib/core/reason'
import { RUN_KINDS, RUN_STATES } from '@/lib/core/states'
import { listPolicies } from '@/lib/retention/policy/policies'
import { policyParamsSchema, proposePolicy } from '@/lib/retention/policy/propose-policy'
import { startCollection, startCollectionSchema } from '@/lib/retention/start-collection'
import { cancelRun } from '@/lib/runs/cancel'
import { readProcesses } from '@/lib/runs/processes'
import { getRun, listRuns, readRunLog } from '@/lib/runs/read'
import { anyOf, flag, idParam, pageQuery } from '../api/inputs'
import { accepted, created, get, ok, post } from '../api/route'
import { actionSchema, keysOf, listOf, runSchema } from '../api/schemas'

const at = z.iso.datetime()
const logLine = z.object({ at, level: z.string(), message: z.string(), data: z.unknown() })
const processSchema = z.object({
  id: z.string(),
  kind: z.string(),
  pid: z.number(),
  startedAt: at,
  seenAt: at,
  fresh: z.boolean().describe('Beat within 15 s'),
  detail: z.unknown(),
})

export const runRoutes = [
  get({
    path: 'runs',
    tag: 'Runs',
    summary: 'Runs, newest first',
    verb: 'view',
    query: z.strictObject({
      ...pageQuery,
      kind: anyOf(RUN_KINDS).optional(),
      state: anyOf(keysOf(RUN_STATES)).optional(),
      byPeople: flag.optional().describe('Without the periodic ones'),
    }),
    responses: { 200: { description: 'A page of runs', schema: listOf(runSchema) } },
    async handle(ctx, { query: { limit, cursor, ...filter } }) {
      return ok(await listRuns(ctx.db, filter, { limit, cursor }))
    },
  }),

  get({
    path: 'runs/{id}',
    tag: 'Runs',
    summary: 'One run, with the last lines of its log',
    verb: 'view',
    params: idParam,
    responses: { 200: { description: 'The run', schema: runSchema.extend({ log: z.array(logLine) }) } },
    async handle(ctx, { params }) {
      const [run, log] = await Promise.all([getRun(ctx.db, params.id), readRunLog(ctx.db, params.id)])
      return ok({ ...run, log })
    },
  }),

  post({
    path: 'runs/{id}/cancel',
    tag: 'Runs',
    summary: 'Ask a run to end',
    description:
      'One that waits ends at once; one that works stops at its next safe point. What it committed stays.',
    verb: 'run.cancel',
    worksWhenWritesAreOff: true,
    params: idParam,
    body: z.strictObject({}),
    responses: { 200: { description: 'The run', schema: runSchema } },
    async handle(ctx, { params }) {
      return ok(await cancelRun(ctx, params.id))
    },
  }),

  post({
    path: 'retention/runs',
    tag: 'Retention',
    summary: 'Collect expired records now',
    description:
      'Of one store, or of all that can. A dry run says what it would drop. Never an unfinished key.',
    verb: 'retention.run',
    body: startCollectionSchema,
    responses: { 202: { description: 'The run', schema: runSchema } },
    async handle(ctx, { body }) {
      return accepted(await startCollection(ctx, body))
    },
  }),

  get({
    path: 'retention/policies',
    tag: 'Retention',
    summary: 'Policies in force',
    verb: 'view',
    responses: {
      200: {
        description: 'All of them',
        schema: listOf(
          z.object({
            id: z.string(),
            source: z.string(),
            tier: z.string().describe('Empty = all'),
            endpoint: z.string().describe('Empty = all'),
            ttlMs: z.number().nullable().describe('null = as the store says itself'),
            safetyMs: z.number(),
            archive: z.boolean(),
            exception: z
              .string()
              .nullable()
              .describe('Why it may collect keys that can still be replayed; null = it may not'),
            actionId: z.string(),
            version: z.number(),
            updatedAt: at,
          }),
        ),
      },
    },
    async handle(ctx) {
      return ok({ items: await listPolicies(ctx.db), next: null })
    },
  }),

  post({
    path: 'retention/policies',
    tag: 'Retention',
    summary: 'Propose a policy',
    description: 'In force once another person has approved its action: POST actions/{id}/approve.',
    verb: 'retention.run',
    body: policyParamsSchema.extend({ reason: reasonSchema }),
    responses: { 201: { description: 'The action', schema: actionSchema } },
    async handle(ctx, { body }) {
      return created(await proposePolicy(ctx, body))
    },
  }),

  get({
    path: 'processes',
    tag: 'Runs',
    summary: 'Processes that were heard of within a day',
    verb: 'view',
    responses: { 200: { description: 'All of them', schema: listOf(processSchema) } },
    async handle(ctx) {
      return ok({ items: await readProcesses(ctx.db, ctx.clock), next: null })
    },
  }),
]
