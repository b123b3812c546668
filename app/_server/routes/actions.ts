import { z } from 'zod'
import { getAction, listActions } from '@/lib/actions/read'
import { reasonSchema } from '@/lib/core/reason'
import { ACTION_STATES, ALL_ACTION_KINDS } from '@/lib/core/states'
import { anyOf, idParam, pageQuery, text } from '../api/inputs'
import { get, ok, post } from '../api/route'
import { actionSchema, keysOf, listOf } from '../api/schemas'
import { approveAction, rejectAction, withdrawAction } from '../decide'

export const actionRoutes = [
  get({
    path: 'actions',
    tag: 'Actions',
    summary: 'Actions, newest first',
    verb: 'view',
    query: z.strictObject({
      ...pageQuery,
      state: anyOf(keysOf(ACTION_STATES)).optional(),
      kind: anyOf(ALL_ACTION_KINDS).optional(),
      caseId: text.optional(),
      runId: text.optional(),
      source: text.optional(),
      scope: text.optional(),
      key: text.optional(),
    }),
    responses: { 200: { description: 'A page of actions', schema: listOf(actionSchema) } },
    async handle(ctx, { query: { limit, cursor, ...filter } }) {
      return ok(await listActions(ctx.db, filter, { limit, cursor }))
    },
  }),

  get({
    path: 'actions/{id}',
    tag: 'Actions',
    summary: 'One action',
    verb: 'view',
    params: idParam,
    responses: { 200: { description: 'The action', schema: actionSchema } },
    async handle(ctx, { params }) {
      return ok(await getAction(ctx.db, params.id))
    },
  }),

  post({
    path: 'actions/{id}/approve',
    tag: 'Actions',
    summary: 'Approve another person’s proposal, on the evidence that was seen',
    description:
      'A correction: store and provider are read again, and it is executed once; when the evidence changed it is refused. A retention policy: it is in force at once. It has to be another person than proposed, not another account of one person. An approval is good for 15 minutes.',
    verb: 'action.approve',
    params: idParam,
    body: z.strictObject({
      evidenceHash: z.string('the evidenceHash of the proposal that was looked at').min(1).max(128),
    }),
    responses: { 200: { description: 'The action', schema: actionSchema } },
    async handle(ctx, { params, body }) {
      return ok(await approveAction(ctx, { actionId: params.id, evidenceHash: body.evidenceHash }))
    },
  }),

  post({
    path: 'actions/{id}/reject',
    tag: 'Actions',
    summary: 'Reject a proposal',
    verb: 'action.reject',
    worksWhenWritesAreOff: true,
    params: idParam,
    body: z.strictObject({ reason: reasonSchema }),
    responses: { 200: { description: 'The action', schema: actionSchema } },
    async handle(ctx, { params, body }) {
      return ok(await rejectAction(ctx, { actionId: params.id, reason: body.reason }))
    },
  }),

  post({
    path: 'actions/{id}/withdraw',
    tag: 'Actions',
    summary: 'Take back a proposal of one’s own',
    verb: 'case.propose',
    worksWhenWritesAreOff: true,
    params: idParam,
    body: z.strictObject({ reason: reasonSchema }),
    responses: { 200: { description: 'The action', schema: actionSchema } },
    async handle(ctx, { params, body }) {
      return ok(await withdrawAction(ctx, { actionId: params.id, reason: body.reason }))
    },
  }),
]
