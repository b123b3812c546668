import { z } from 'zod'
import { readAgreed } from '@/lib/actions/agreed-list'
import { ALERT_STATES, listAlerts } from '@/lib/alerts/list-alerts'
import { addReceiver, addReceiverSchema } from '@/lib/alerts/notify/add-receiver'
import { listReceivers } from '@/lib/alerts/notify/receivers'
import { removeReceiver } from '@/lib/alerts/notify/remove-receiver'
import { testReceiver } from '@/lib/alerts/notify/test-receiver'
import { createSilence } from '@/lib/alerts/silences/create'
import { expireSilence } from '@/lib/alerts/silences/expire'
import { listSilences } from '@/lib/alerts/silences/list'
import { previewSilence, silenceTermsSchema } from '@/lib/alerts/silences/preview'
import { SILENCE_STATES } from '@/lib/alerts/silences/view'
import { proposeTerms, termsParamsSchema } from '@/lib/alerts/terms/propose-terms'
import { TERMS, termsSchema } from '@/lib/conditions/terms'
import { authorise } from '@/lib/core/authorise'
import { CONDITION_KINDS, CONDITION_SCOPES, CONDITIONS, SEVERITIES } from '@/lib/core/condition-kinds'
import { reasonSchema } from '@/lib/core/reason'
import { RECEIVER_KINDS } from '@/lib/core/receiver-kinds'
import { anyOf, idParam, pageQuery, text } from '../api/inputs'
import { created, get, ok, post } from '../api/route'
import { actionSchema, listOf } from '../api/schemas'
import { acknowledgementSchema } from './notification'

const at = z.iso.datetime()
const word = z.string().nullable()
const shortReason = z.string().trim().min(1, 'say why').max(1000)

const silenceSchema = z
  .object({
    id: z.string(),
    state: z.enum(SILENCE_STATES),
    kind: z.enum(CONDITION_KINDS).nullable().describe('null = any'),
    subject: word.describe('null = any'),
    prefix: z.boolean().describe('The subject begins with it, rather than is it'),
    environment: word.describe('null = any'),
    startsAt: at,
    endsAt: at,
    reason: z.string(),
    createdBy: z.string(),
    createdAt: at,
    expiredAt: at.nullable().describe('Ended early'),
    expiredBy: word,
    expiredReason: word,
  })
  .meta({ id: 'Silence' })

const alertFacts = {
  id: z.string(),
  kind: z.enum(CONDITION_KINDS),
  subject: z.string(),
  environment: word,
  severity: z.enum(SEVERITIES).describe('page = wakes somebody, ticket = can wait'),
  times: z.number().describe('How often it was raised: one that comes and goes is one alert'),
  since: at,
  detail: z.record(z.string(), z.unknown()),
  incidentId: word.describe('What it is part of; null = nothing'),
}
const alertSchema = z
  .object({
    ...alertFacts,
    state: z.enum(ALERT_STATES),
    clearedAt: at.nullable(),
    silences: z.array(z.string()).describe('Silences that held while it fired'),
    acknowledgement: acknowledgementSchema.nullable().describe('Who looks after it; null = nobody'),
    notifications: z.array(
      z.object({
        id: z.string(),
        receiver: z.string(),
        transition: z.string().describe('raised or cleared'),
        state: z
          .string()
          .describe(
            'waiting, delivered, failed, silenced, or merged: it came back, or went away, before it was told',
          ),
        attempts: z.number(),
        dueAt: at,
        finishedAt: at.nullable(),
        result: z.object({
          status: z.number().nullable(),
          error: word,
          body: word,
          durationMs: z.number().nullable(),
        }),
      }),
    ),
  })
  .meta({ id: 'Alert' })

const previewSchema = z.object({
  tier: z.union([z.literal(1), z.literal(2)]),
  matching: z.array(z.object({ ...alertFacts, checkedAt: at, silence: silenceSchema.nullable() })),
  similar: z.array(silenceSchema),
  evidenceHash: z.string(),
})

const receiverSchema = z
  .object({
    id: z.string(),
    kind: z.enum(RECEIVER_KINDS),
    name: z.string(),
    host: z.string().describe('All that is shown of where it is'),
    paging: z.boolean(),
    createdBy: z.string(),
    createdAt: at,
  })
  .meta({ id: 'Receiver' })

const silenceBody = silenceTermsSchema.extend({
  dryRun: z.boolean().default(false).describe('Only say what it would concern'),
  reason: shortReason.optional().describe('At least 10 characters when it lasts longer than an hour'),
  evidenceHash: z
    .string()
    .max(64)
    .optional()
    .describe('Of the dry run; needed when it lasts longer than an hour'),
})

const termsSetSchema = z.object({
  rules: termsSchema,
  version: z.number(),
  usual: z.record(
    z.string(),
    z.object({
      severity: z.enum(SEVERITIES),
      forMs: z.number(),
      scopes: z.array(z.enum(CONDITION_SCOPES)).readonly(),
      limits: z.record(
        z.string(),
        z.object({
          says: z.string(),
          unit: z.string(),
          default: z.number(),
          min: z.number(),
          max: z.number(),
        }),
      ),
    }),
  ),
})

export const alertRoutes = [
  get({
    path: 'alerts',
    tag: 'Alerts',
    summary: 'Every time that an alert fired, newest first',
    description: 'Silenced or not. `detail` has its figures when it was raised; once cleared, the last ones.',
    verb: 'view',
    query: z.strictObject({
      ...pageQuery,
      state: anyOf(ALERT_STATES).optional(),
      kind: anyOf(CONDITION_KINDS).optional(),
      id: text.optional(),
    }),
    responses: { 200: { description: 'A page of alerts', schema: listOf(alertSchema) } },
    async handle(ctx, { query: { limit, cursor, ...filter } }) {
      return ok(await listAlerts(ctx.db, ctx.clock.now(), filter, { limit, cursor }))
    },
  }),

  get({
    path: 'alerts/terms',
    tag: 'Alerts',
    summary: 'Who is to know of what, and when it fires',
    description: '`rules` are what two people agreed on; what no rule speaks of has the terms in `usual`.',
    verb: 'view',
    responses: {
      200: { description: 'The rules in force, and the terms of every kind', schema: termsSetSchema },
    },
    async handle(ctx) {
      return ok({ ...(await readAgreed(ctx.db, TERMS)), usual: CONDITIONS })
    },
  }),

  post({
    path: 'alerts/terms',
    tag: 'Alerts',
    summary: 'Propose other terms',
    description:
      'The whole list of rules, with the `version` that was looked at. Of the rules that speak of a place the most specific decides. In force once another person has approved its action (POST actions/{id}/approve); `evidence.preview` says how often it would have fired in the last 7 days.',
    verb: 'case.propose',
    body: termsParamsSchema.extend({ reason: reasonSchema }),
    responses: { 201: { description: 'The action', schema: actionSchema } },
    async handle(ctx, { body }) {
      return created(await proposeTerms(ctx, body))
    },
  }),

  get({
    path: 'alerts/silences',
    tag: 'Alerts',
    summary: 'Silences, what ends last first',
    verb: 'view',
    query: z.strictObject({ ...pageQuery, state: anyOf(SILENCE_STATES).optional() }),
    responses: { 200: { description: 'A page of silences', schema: listOf(silenceSchema) } },
    async handle(ctx, { query: { limit, cursor, state } }) {
      return ok(await listSilences(ctx.db, ctx.clock.now(), { state }, { limit, cursor }))
    },
  }),

  post({
    path: 'alerts/silences',
    tag: 'Alerts',
    summary: 'Silence what matches, now or later',
    description:
      'It is evaluated and kept as ever; nobody is notified. `startsAt` in the future makes a maintenance window. Longer than an hour it needs the `evidenceHash` of a dry run: 409 with the fresh preview when other alerts match by now.',
    verb: 'alert.silence',
    body: silenceBody,
    responses: {
      200: { description: 'A dry run: what it would concern', schema: previewSchema },
      201: { description: 'The silence', schema: silenceSchema },
    },
    async handle(ctx, { body }) {
      const { dryRun, reason, evidenceHash, ...terms } = body
      if (dryRun) {
        authorise(ctx, 'alert.silence')
        return ok(await previewSilence(ctx.db, ctx.clock.now(), terms))
      }
      const { startsAt, endsAt, ...matchers } = terms
      return created(
        await createSilence(ctx, {
          ...matchers,
          endsAt: endsAt.toISOString(),
          ...(startsAt === undefined ? {} : { startsAt: startsAt.toISOString() }),
          reason: shortReason.parse(reason),
          evidenceHash,
        }),
      )
    },
  }),

  post({
    path: 'alerts/silences/{id}/expire',
    tag: 'Alerts',
    summary: 'End a silence now',
    description: 'What still fires is notified at the next evaluation.',
    verb: 'alert.silence',
    params: idParam,
    body: z.strictObject({ reason: shortReason }),
    responses: { 200: { description: 'The silence', schema: silenceSchema } },
    async handle(ctx, { params, body }) {
      return ok(await expireSilence(ctx, { id: params.id, reason: body.reason }))
    },
  }),

  get({
    path: 'alerts/receivers',
    tag: 'Alerts',
    summary: 'Who is told',
    verb: 'view',
    responses: { 200: { description: 'All of them', schema: listOf(receiverSchema) } },
    async handle(ctx) {
      return ok({ items: await listReceivers(ctx.db), next: null })
    },
  }),

  post({
    path: 'alerts/receivers',
    tag: 'Alerts',
    summary: 'Tell another receiver',
    description:
      'A webhook, Slack, PagerDuty, Jira Service Management or Opsgenie, an Alertmanager, or e-mail. https, to a public address or a network of IDEMSCOPE_OUTBOUND_ALLOW. Redirects are not followed. The `signingSecret` of a webhook is answered this once: the same key again is a 409.',
    verb: 'receiver.manage',
    toldOnce: true,
    body: addReceiverSchema,
    responses: {
      201: {
        description: 'The receiver',
        schema: receiverSchema.extend({
          signingSecret: word.describe('Of Standard Webhooks; null = this kind is not signed'),
        }),
      },
    },
    async handle(ctx, { body }) {
      return created(await addReceiver(ctx, body))
    },
  }),

  post({
    path: 'alerts/receivers/{id}/test',
    tag: 'Alerts',
    summary: 'Send a test notification',
    description: 'A real message, marked as a test. 200 whatever the receiver says: its answer is the body.',
    verb: 'alert.test',
    params: idParam,
    body: z.strictObject({}),
    responses: {
      200: {
        description: 'What the receiver answered',
        schema: z.object({
          kind: z.enum(['answered', 'refused', 'failed']),
          status: z.number().nullable(),
          body: word.describe('Its beginning'),
          error: word,
          accepted: z.boolean().describe('By the rules of its kind: Slack says ok, PagerDuty 202'),
          retryAfterMs: z.number().nullable(),
          durationMs: z.number(),
        }),
      },
    },
    async handle(ctx, { params }) {
      return ok(await testReceiver(ctx, params.id))
    },
  }),

  post({
    path: 'alerts/receivers/{id}/remove',
    tag: 'Alerts',
    summary: 'Tell it nothing more',
    verb: 'receiver.manage',
    params: idParam,
    body: z.strictObject({ reason: reasonSchema }),
    responses: { 200: { description: 'What it was', schema: receiverSchema } },
    async handle(ctx, { params, body }) {
      return ok(await removeReceiver(ctx, { id: params.id, reason: body.reason }))
    },
  }),
]
