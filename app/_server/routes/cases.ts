import { z } from 'zod'
import { CASE_CLASS_NAMES } from '@/lib/core/case-classes'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { ACTION_KINDS, CASE_LIFECYCLES, CASE_OUTCOMES, CASE_TRIAGES } from '@/lib/core/states'
import { getCase, listCases } from '@/lib/reconcile/cases/cases'
import { propose } from '@/lib/reconcile/corrections/propose'
import { hasCompared } from '@/lib/reconcile/report/has-compared'
import { runView } from '@/lib/runs/read'
import { startRun } from '@/lib/runs/start'
import { anyOf, idParam, instant, pageQuery, text } from '../api/inputs'
import { accepted, created, get, ok, post } from '../api/route'
import { actionSchema, caseSchema, listOf, runSchema } from '../api/schemas'

const startSchema = z
  .strictObject({
    sources: z.array(z.string().startsWith('src_')).min(1).max(100).optional(),
    from: instant.optional(),
    to: instant.optional(),
    scope: text.optional().describe('With `key`: one key instead of a window'),
    key: text.optional(),
    reference: text.optional().describe('One business reference instead of a window'),
    dryRun: z.boolean().default(false),
  })
  .refine(({ from, to }) => (from === undefined) === (to === undefined), 'from and to go together')
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, 'from must be before to')
  .refine(({ scope, key }) => (scope === undefined) === (key === undefined), 'scope and key go together')
  .refine(
    ({ from, key, reference }) => [from, key, reference].filter((each) => each !== undefined).length <= 1,
    'a window, a key with its scope, or a reference',
  )

export const caseRoutes = [
  get({
    path: 'reconciliation/cases',
    tag: 'Reconciliation',
    summary: 'Cases, newest first; no filter means all, resolved included',
    verb: 'view',
    query: z.strictObject({
      ...pageQuery,
      class: anyOf(CASE_CLASS_NAMES).optional(),
      outcome: anyOf(CASE_OUTCOMES).optional(),
      lifecycle: anyOf(CASE_LIFECYCLES).optional(),
      triage: anyOf(CASE_TRIAGES).optional(),
      system: text.optional(),
      scope: text.optional(),
      key: text.optional(),
      reference: text.optional(),
    }),
    responses: {
      200: {
        description: 'A page of cases',
        schema: listOf(caseSchema).extend({
          compared: z.boolean().describe('false = no run has compared anything yet: no case says nothing'),
        }),
      },
    },
    async handle(ctx, { query: { limit, cursor, ...filter } }) {
      const [page, compared] = await Promise.all([
        listCases(ctx.db, filter, { limit, cursor }),
        hasCompared(ctx.db),
      ])
      return ok({ ...page, compared })
    },
  }),

  get({
    path: 'reconciliation/cases/{id}',
    tag: 'Reconciliation',
    summary: 'One case: the sides as they are staged, its history, its actions',
    verb: 'view',
    params: idParam,
    responses: {
      200: {
        description: 'The case',
        schema: caseSchema.extend({
          sides: z.unknown(),
          events: z.array(
            z.object({ at: z.iso.datetime(), kind: z.string(), actor: z.string(), data: z.unknown() }),
          ),
          actions: z.array(actionSchema),
        }),
      },
    },
    async handle(ctx, { params }) {
      return ok(await getCase(ctx.db, params.id))
    },
  }),

  post({
    path: 'reconciliation/runs',
    tag: 'Reconciliation',
    summary: 'Compare the sides now',
    description:
      'Of all systems, or of those of `sources`; of a range, of one key or business reference (asked by id), or of all that changed. A dry run opens no case.',
    verb: 'run.start',
    body: startSchema,
    responses: { 202: { description: 'The run', schema: runSchema } },
    async handle(ctx, { body: { sources, from, to, dryRun, ...target } }) {
      await assertSources(ctx, sources ?? [])
      const range = from === undefined || to === undefined ? {} : { from, to }
      const params = { ...(sources === undefined ? {} : { sources }), ...range, ...target }
      return accepted(runView(await startRun(ctx, { kind: 'reconciliation', params, dryRun })))
    },
  }),

  post({
    path: 'reconciliation/cases/{id}/proposals',
    tag: 'Reconciliation',
    summary: 'Propose a correction of a case',
    description:
      'What moves money or books is not done yet: another person approves the evidence that the answer names in `evidenceHash`. Release, complete and ignore are done at once.',
    verb: 'case.propose',
    params: idParam,
    body: z.strictObject({
      kind: z.enum(ACTION_KINDS, `one of ${ACTION_KINDS.join(', ')}`),
      params: z.record(z.string(), z.unknown()).optional(),
      reason: reasonSchema,
    }),
    responses: { 201: { description: 'The action', schema: actionSchema } },
    async handle(ctx, { params, body: { kind, params: given, reason } }) {
      return created(await propose(ctx, { caseId: params.id, kind, params: given, reason }))
    },
  }),
]

/** Here rather than in the run, so that the mistake is told to who made it. */
async function assertSources(ctx: Parameters<typeof startRun>[0], ids: readonly string[]): Promise<void> {
  const rows = await ctx.db.prisma.source.findMany({ where: { id: { in: [...ids] } }, select: { id: true } })
  const missing = ids.filter((id) => !rows.some((row) => row.id === id))
  if (missing.length > 0)
    throw new AppError('invalid', `sources: there is no ${missing.join(', ')}; see GET /api/v1/sources.`)
}
