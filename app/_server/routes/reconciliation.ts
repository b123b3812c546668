import { z } from 'zod'
import { reasonSchema } from '@/lib/core/reason'
import { reconciliationReport } from '@/lib/reconcile/report/report'
import { proposeRules, rulesParamsSchema } from '@/lib/reconcile/rules/propose-rules'
import { readRules, rulesSchema } from '@/lib/reconcile/rules/rules'
import { triageCases, triageCasesSchema } from '@/lib/reconcile/triage/triage-cases'
import { idParam } from '../api/inputs'
import { created, get, ok, post } from '../api/route'
import { actionSchema, caseSchema, listOf } from '../api/schemas'

const ruleSetSchema = z.object({ rules: rulesSchema, version: z.number() })
const format = z.enum(['csv', 'json']).default('json')
const file = { 200: { description: 'The file, sent while it is made', schema: z.string() } }

/** What happens to many cases: triage of several at once, reports of a run and of a day. */
export const reconciliationRoutes = [
  post({
    path: 'reconciliation/cases/triage',
    tag: 'Reconciliation',
    summary: 'Acknowledge, assign or snooze several cases, or undo it',
    description:
      'At most 100. Each case has its own result: one that was resolved meanwhile does not stop the others. `undo` takes back one’s own last change of each, where nothing came after it.',
    verb: 'case.triage',
    body: triageCasesSchema,
    responses: {
      200: {
        description: 'One result a case, in the order of the ids',
        schema: listOf(
          z.object({
            id: z.string(),
            outcome: z.enum(['done', 'refused']),
            case: caseSchema.optional(),
            code: z.string().optional(),
            text: z.string().optional(),
          }),
        ),
      },
    },
    async handle(ctx, { body }) {
      const { change, ids, reason } = body
      const sent = change.kind === 'snooze' ? { ...change, until: change.until.toISOString() } : change
      return ok({ items: await triageCases(ctx, { ids, change: sent, reason }), next: null })
    },
  }),

  get({
    path: 'reconciliation/rules',
    tag: 'Reconciliation',
    summary: 'What may differ, and for how long',
    verb: 'view',
    responses: { 200: { description: 'The rules, in the order in which they count', schema: ruleSetSchema } },
    async handle(ctx) {
      return ok(await readRules(ctx.db))
    },
  }),

  post({
    path: 'reconciliation/rules',
    tag: 'Reconciliation',
    summary: 'Propose another list of rules',
    description:
      'The whole list, with the `version` that was looked at. A rule without criteria is refused. In force once another person has approved its action (POST actions/{id}/approve); `evidence.preview` says which open cases it would excuse.',
    verb: 'case.propose',
    body: rulesParamsSchema.extend({ reason: reasonSchema }),
    responses: { 201: { description: 'The action', schema: actionSchema } },
    async handle(ctx, { body }) {
      return created(await proposeRules(ctx, body))
    },
  }),

  get({
    path: 'reconciliation/runs/{id}/report',
    tag: 'Reconciliation',
    summary: 'What a run did to cases, as JSON or CSV',
    description: 'Taking it is audited.',
    verb: 'view',
    params: idParam,
    query: z.strictObject({ format }),
    responses: file,
    async handle(ctx, { params, query }) {
      return {
        status: 200,
        ...(await reconciliationReport(ctx, { kind: 'run', id: params.id }, query.format)),
      }
    },
  }),

  get({
    path: 'reconciliation/reports/{day}',
    tag: 'Reconciliation',
    summary: 'What happened to cases in a day (UTC), as JSON or CSV',
    description: 'Taking it is audited.',
    verb: 'view',
    params: z.strictObject({ day: z.iso.date('a day like 2026-11-22') }),
    query: z.strictObject({ format }),
    responses: file,
    async handle(ctx, { params, query }) {
      return {
        status: 200,
        ...(await reconciliationReport(ctx, { kind: 'day', day: params.day }, query.format)),
      }
    },
  }),
]
