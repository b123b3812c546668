import { z } from 'zod'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import {
  INCIDENT_AREAS,
  INCIDENT_ROLES,
  INCIDENT_SEVERITIES,
  INCIDENT_SEVERITY_MEANING,
  INCIDENT_STATUS_NAMES,
} from '@/lib/core/incident-states'
import { listIncidents } from '@/lib/incidents/list-incidents'
import { withMoneyAtRisk } from '@/lib/incidents/money-at-risk'
import { exportPostmortem, POSTMORTEM_FORMATS } from '@/lib/incidents/postmortem/export-postmortem'
import { rangeText } from '@/lib/incidents/range'
import { readBrief } from '@/lib/incidents/read-brief'
import { EVENT_SOURCES } from '@/lib/incidents/timeline/event'
import { readGaps, readTimeline } from '@/lib/incidents/timeline/read-timeline'
import { openIncident, openIncidentSchema } from '@/lib/incidents/verbs/open-incident'
import {
  acknowledgeIncident,
  acknowledgeIncidentSchema,
  addNote,
  closeIncident,
  closeSchema,
  mitigateIncident,
  mitigateSchema,
  noteSchema,
  reopenIncident,
  reopenSchema,
  setSeverity,
  severitySchema,
} from '@/lib/incidents/verbs/run-incident'
import { roleSchema, setRole } from '@/lib/incidents/verbs/set-role'
import { anyOf, idParam, instant, pageQuery, text } from '../api/inputs'
import { created, get, ok, post } from '../api/route'
import { listOf, moneyJson } from '../api/schemas'

const at = z.iso.datetime()
const word = z.string().nullable()
const ms = z.number().nullable().describe('Milliseconds; null = not known, or not done')

const incidentSchema = z
  .object({
    id: z.string(),
    title: z.string(),
    area: z.enum(INCIDENT_AREAS),
    system: word.describe('null = none is known'),
    severity: z
      .enum(INCIDENT_SEVERITIES)
      .describe(INCIDENT_SEVERITIES.map((name) => `${name}: ${INCIDENT_SEVERITY_MEANING[name]}`).join('; ')),
    status: z.enum(INCIDENT_STATUS_NAMES),
    openedBy: word.describe('null = an alert'),
    openedAt: at,
    beganAt: at.nullable().describe('The first fact of it; null = not known'),
    acknowledgedAt: at.nullable(),
    acknowledgedBy: word,
    mitigatedAt: at.nullable(),
    closedAt: at.nullable(),
    cause: word,
    followUps: z.array(z.string()),
    revision: z.number().describe('Send it back with what was decided on it'),
    roles: z.array(
      z.object({ role: z.enum(INCIDENT_ROLES), userId: z.string(), name: z.string(), since: at }),
    ),
    commander: word,
    alerts: z.object({ count: z.number(), firing: z.number() }),
    times: z.object({ detectMs: ms, acknowledgeMs: ms, mitigateMs: ms }),
  })
  .meta({ id: 'Incident' })

const moneySchema = z
  .object({
    amounts: z
      .array(moneyJson)
      .nullable()
      .describe(
        'The largest of the parts in each currency: the same money may be behind several. null = not known',
      ),
    parts: z.array(z.object({ what: z.string(), amounts: z.array(moneyJson), more: z.boolean() })),
    more: z.boolean().describe('There is more than was read'),
  })
  .describe('Behind the alerts that fire now')

const briefSchema = z.object({
  incident: incidentSchema,
  range: z.object({ from: at, to: at }).describe('From 15 min before its first fact to its end, or to now'),
  verdict: z.object({ tone: z.enum(['bad', 'warn', 'ok', 'unknown']), text: z.string() }),
  moneyAtRisk: moneySchema,
  checklist: z.array(
    z.object({
      id: z.string(),
      question: z.string(),
      answered: z.enum(['known', 'none', 'not_known', 'not_connected', 'not_measured']),
      standing: z.string(),
      answers: z.array(z.string()),
      link: z.object({ label: z.string(), path: z.string() }),
    }),
  ),
  affected: z.object({
    items: z.array(
      z.object({
        client: z.string(),
        endpoint: z.string(),
        twice: z.number(),
        orphans: z.number(),
        stuck: z.number(),
        cases: z.number(),
        effectMoney: z.array(moneyJson),
        caseMoney: z.array(moneyJson),
      }),
    ),
    beyond: z.number().describe('Callers that are not among the items'),
    more: z.boolean().describe('Not all was read: figures are at least these'),
  }),
  alerts: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(CONDITION_KINDS),
      subject: z.string(),
      severity: z.enum(SEVERITIES),
      since: at,
      clearedAt: at.nullable(),
    }),
  ),
  runbook: z.object({ id: z.string(), title: z.string() }).nullable(),
})

const eventSchema = z
  .object({
    id: z.string(),
    source: z.enum(EVENT_SOURCES),
    at: at.describe('Of the event itself'),
    text: z.string(),
    detail: z.string(),
    by: word.describe('null = the console, or a service'),
    path: word.describe('The console’s page on which it is told in full'),
    clock: z.enum(['console', 'service']).describe('Whose clock stamped it'),
  })
  .meta({ id: 'IncidentEvent' })

const WORKS_WHEN_OFF = 'Works while writes are switched off: it moves no money and changes no key.'
const CONDITIONAL = `409 when the incident was changed since the \`revision\` that was looked at. ${WORKS_WHEN_OFF}`
/** What every verb on one incident has in common. */
const verb = {
  tag: 'Incidents',
  verb: 'incident.manage',
  params: idParam,
  worksWhenWritesAreOff: true,
  description: CONDITIONAL,
  responses: { 200: { description: 'The incident', schema: incidentSchema } },
} as const

export const incidentRoutes = [
  get({
    path: 'incidents',
    tag: 'Incidents',
    summary: 'Incidents, what is not closed first, the newest first',
    verb: 'view',
    query: z.strictObject({
      ...pageQuery,
      status: anyOf(INCIDENT_STATUS_NAMES).optional(),
      severity: anyOf(INCIDENT_SEVERITIES).optional(),
      system: text.optional(),
      from: instant.optional().describe('Opened at or after'),
      to: instant.optional().describe('Opened before'),
    }),
    responses: {
      200: {
        description: 'A page of incidents',
        schema: listOf(incidentSchema.extend({ moneyAtRisk: moneySchema })),
      },
    },
    async handle(ctx, { query: { limit, cursor, ...filter } }) {
      const { items, next } = await listIncidents(ctx.db, filter, { limit, cursor })
      const shown = await withMoneyAtRisk(ctx.db, items, ctx.clock.now())
      return ok({ items: shown.map(({ money, ...incident }) => ({ ...incident, moneyAtRisk: money })), next })
    },
  }),

  post({
    path: 'incidents',
    tag: 'Incidents',
    summary: 'Open an incident by hand',
    description: `What fires in its place and belongs to none joins it. 409 when another one is open there that is not among \`seen\`. ${WORKS_WHEN_OFF}`,
    verb: 'incident.manage',
    body: openIncidentSchema,
    worksWhenWritesAreOff: true,
    responses: { 201: { description: 'The incident', schema: incidentSchema } },
    async handle(ctx, { body }) {
      return created(await openIncident(ctx, body))
    },
  }),

  get({
    path: 'incidents/{id}',
    tag: 'Incidents',
    summary: 'All that it takes to run an incident',
    description:
      'Verdict and money at risk now, the checklist answered from data, affected callers, its alerts. `answered` tells none, not known, not connected and not measured apart.',
    verb: 'view',
    params: idParam,
    responses: { 200: { description: 'The incident, as of now', schema: briefSchema } },
    async handle(ctx, { params }) {
      const { money, range, alerts, runbook, ...brief } = await readBrief(ctx, params.id)
      return ok({
        ...brief,
        moneyAtRisk: money,
        range: rangeText(range),
        alerts: alerts.map(({ id, kind, subject, severity, since, clearedAt }) => ({
          id,
          kind,
          subject,
          severity,
          since,
          clearedAt,
        })),
        runbook: runbook === null ? null : { id: runbook.id, title: runbook.title },
      })
    },
  }),

  get({
    path: 'incidents/{id}/timeline',
    tag: 'Incidents',
    summary: 'What happened around an incident, the latest first',
    description:
      'Alerts, deploys, holds, runs, actions, cases, notes, by the time of each. `gaps` are times in which the console saw less than it should have.',
    verb: 'view',
    params: idParam,
    query: z.strictObject(pageQuery),
    responses: {
      200: {
        description: 'A page of events',
        schema: listOf(eventSchema).extend({
          gaps: z.array(z.object({ from: at, to: at.nullable(), text: z.string() })),
        }),
      },
    },
    async handle(ctx, { params, query }) {
      const { incident, alerts, range } = await readBrief(ctx, params.id)
      const context = { incidentId: params.id, system: incident.system, alerts }
      const [page, gaps] = await Promise.all([
        readTimeline(ctx.db, context, range, query),
        readGaps(ctx.db, range),
      ])
      return ok({ ...page, gaps })
    },
  }),

  get({
    path: 'incidents/{id}/postmortem',
    tag: 'Incidents',
    summary: 'The postmortem, as Markdown or JSON',
    description:
      'Time line, times to detect, acknowledge and mitigate, budget used, money found, refunded, lost and open, actions. What is not known is null. Taking it is audited.',
    verb: 'view',
    params: idParam,
    query: z.strictObject({ format: z.enum(POSTMORTEM_FORMATS).default('markdown') }),
    responses: { 200: { description: 'The file', schema: z.string(), contentType: 'text/markdown' } },
    async handle(ctx, { params, query }) {
      return { status: 200, ...(await exportPostmortem(ctx, params.id, query.format)) }
    },
  }),

  post({
    ...verb,
    path: 'incidents/{id}/acknowledge',
    summary: 'Look after an incident, and after its alerts that fire',
    body: acknowledgeIncidentSchema,
    async handle(ctx, { params, body }) {
      return ok(await acknowledgeIncident(ctx, params.id, body))
    },
  }),

  post({
    ...verb,
    path: 'incidents/{id}/roles',
    summary: 'Take a role, or leave one’s own',
    body: roleSchema,
    async handle(ctx, { params, body }) {
      return ok(await setRole(ctx, params.id, body))
    },
  }),

  post({
    ...verb,
    path: 'incidents/{id}/severity',
    summary: 'Set how severe it is',
    body: severitySchema,
    async handle(ctx, { params, body }) {
      return ok(await setSeverity(ctx, params.id, body))
    },
  }),

  post({
    ...verb,
    path: 'incidents/{id}/notes',
    summary: 'Add a note to its time line',
    description: `It needs no revision, and cannot be edited. ${WORKS_WHEN_OFF}`,
    body: noteSchema,
    async handle(ctx, { params, body }) {
      return ok(await addNote(ctx, params.id, body))
    },
  }),

  post({
    ...verb,
    path: 'incidents/{id}/mitigate',
    summary: 'Say that no more harm is done',
    body: mitigateSchema,
    async handle(ctx, { params, body }) {
      return ok(await mitigateIncident(ctx, params.id, body))
    },
  }),

  post({
    ...verb,
    path: 'incidents/{id}/close',
    summary: 'Close an incident with its cause and what is still to be done',
    body: closeSchema,
    async handle(ctx, { params, body }) {
      return ok(await closeIncident(ctx, params.id, body))
    },
  }),

  post({
    ...verb,
    path: 'incidents/{id}/reopen',
    summary: 'Open again what was not over',
    body: reopenSchema,
    async handle(ctx, { params, body }) {
      return ok(await reopenIncident(ctx, params.id, body))
    },
  }),
]
