import { z } from 'zod'
import { acknowledge, acknowledgeSchema, unacknowledge } from '@/lib/alerts/acknowledge/acknowledge'
import { DELIVERY_STATES, listDeliveries } from '@/lib/alerts/notify/list-deliveries'
import { EVENTS } from '@/lib/alerts/notify/message'
import { listRoutes } from '@/lib/alerts/routes/list'
import { quietSchema } from '@/lib/alerts/routes/quiet'
import {
  addRoute,
  addRouteSchema,
  changeRoute,
  changeRouteSchema,
  removeRoute,
  removeRouteSchema,
} from '@/lib/alerts/routes/set-route'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import { RECEIVER_KINDS } from '@/lib/core/receiver-kinds'
import { anyOf, idParam, pageQuery, text } from '../api/inputs'
import { created, get, ok, post } from '../api/route'
import { listOf } from '../api/schemas'

const at = z.iso.datetime()
const word = z.string().nullable()

const routeSchema = z
  .object({
    id: z.string(),
    version: z.number(),
    receiverId: z.string(),
    name: z.string(),
    severity: z.enum(SEVERITIES).nullable(),
    kinds: z.array(z.string()),
    systems: z.array(z.string()),
    quiet: quietSchema.nullable(),
    intervalMs: z.number(),
    remindMs: z.number().nullable(),
    createdBy: z.string(),
    createdAt: at,
  })
  .meta({ id: 'NotificationRoute' })

const deliverySchema = z
  .object({
    id: z.string(),
    event: z.enum(EVENTS),
    state: z.enum(DELIVERY_STATES),
    receiverId: z.string(),
    receiver: z.string(),
    receiverKind: z.enum(RECEIVER_KINDS),
    kind: z.enum(CONDITION_KINDS).nullable(),
    system: word,
    severity: z.string(),
    incident: z.string().describe('What the receiver knows it by, from raised to cleared'),
    dedupeKey: z.string(),
    message: z.object({
      headline: word,
      text: word,
      count: z.number().nullable().describe('Alerts that it is about'),
      examples: z.array(z.string()),
    }),
    createdAt: at,
    dueAt: at.nullable().describe('Of the next try, while it waits'),
    finishedAt: at.nullable(),
    tries: z.array(
      z.object({
        at,
        accepted: z.boolean(),
        status: z.number().nullable(),
        error: word,
        body: word.describe('The beginning of the answer'),
        durationMs: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: 'Delivery' })

export const acknowledgementSchema = z
  .object({
    id: z.string(),
    alert: z.string(),
    by: z.string(),
    byName: z.string(),
    at,
    until: at,
    note: z.string(),
  })
  .meta({ id: 'Acknowledgement' })

export const notificationRoutes = [
  get({
    path: 'alerts/deliveries',
    tag: 'Alerts',
    summary: 'Messages to receivers, newest first',
    description: 'What was sent, and what each try was answered. Kept for 90 days.',
    verb: 'view',
    query: z.strictObject({
      ...pageQuery,
      state: anyOf(DELIVERY_STATES).optional(),
      receiver: text.optional(),
      alert: text.optional(),
    }),
    responses: { 200: { description: 'A page of messages', schema: listOf(deliverySchema) } },
    async handle(ctx, { query: { limit, cursor, ...filter } }) {
      return ok(await listDeliveries(ctx.db, filter, { limit, cursor }))
    },
  }),

  post({
    path: 'alerts/{id}/acknowledge',
    tag: 'Alerts',
    summary: 'Look after an alert',
    description:
      'And after all others of its kind and system: reminders stop. When it ends and something fires on, receivers are told again. A later one takes its place.',
    verb: 'alert.acknowledge',
    params: idParam,
    body: acknowledgeSchema,
    responses: { 201: { description: 'The acknowledgement', schema: acknowledgementSchema } },
    async handle(ctx, { params, body }) {
      return created(await acknowledge(ctx, params.id, body))
    },
  }),

  post({
    path: 'alerts/{id}/unacknowledge',
    tag: 'Alerts',
    summary: 'Look after an alert no longer',
    verb: 'alert.acknowledge',
    params: idParam,
    body: z.strictObject({}),
    responses: { 200: { description: 'The acknowledgement that has ended', schema: acknowledgementSchema } },
    async handle(ctx, { params }) {
      return ok(await unacknowledge(ctx, params.id))
    },
  }),

  get({
    path: 'alerts/routes',
    tag: 'Alerts',
    summary: 'Which receiver is told what, in order',
    description:
      'Of a receiver’s routes the first that matches decides. A receiver without any is told of everything.',
    verb: 'view',
    responses: { 200: { description: 'All in force', schema: listOf(routeSchema) } },
    async handle(ctx) {
      return ok({ items: await listRoutes(ctx.db), next: null })
    },
  }),

  post({
    path: 'alerts/routes',
    tag: 'Alerts',
    summary: 'Route alerts to a receiver',
    verb: 'receiver.manage',
    body: addRouteSchema,
    responses: { 201: { description: 'The route', schema: routeSchema } },
    async handle(ctx, { body }) {
      return created(await addRoute(ctx, body))
    },
  }),

  post({
    path: 'alerts/routes/{id}/change',
    tag: 'Alerts',
    summary: 'Put another version of a route in force',
    description: '409 with the version in force when it is not the one that was looked at.',
    verb: 'receiver.manage',
    params: idParam,
    body: changeRouteSchema,
    responses: { 200: { description: 'The new version', schema: routeSchema } },
    async handle(ctx, { params, body }) {
      return ok(await changeRoute(ctx, params.id, body))
    },
  }),

  post({
    path: 'alerts/routes/{id}/remove',
    tag: 'Alerts',
    summary: 'End a route',
    description: 'A receiver without any is told of everything again.',
    verb: 'receiver.manage',
    params: idParam,
    body: removeRouteSchema,
    responses: { 200: { description: 'What it was', schema: routeSchema } },
    async handle(ctx, { params, body }) {
      return ok(await removeRoute(ctx, params.id, body))
    },
  }),
]
