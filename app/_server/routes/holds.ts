import { z } from 'zod'
import { holdTargetSchema } from '@/lib/core/hold-target'
import { liftHold } from '@/lib/locks/holds/lift-hold'
import { listHolds } from '@/lib/locks/holds/list-holds'
import { holdReasonSchema, placeHold, placeHoldSchema } from '@/lib/locks/holds/place-hold'
import { flag, idParam, pageQuery, text } from '../api/inputs'
import { created, get, ok, post } from '../api/route'
import { listOf } from '../api/schemas'

const at = z.iso.datetime()

const holdSchema = z
  .object({
    id: z.string(),
    source: z.string(),
    target: holdTargetSchema,
    what: z.string().describe('The target, in words'),
    inForce: z.boolean().describe('On the clock of its store'),
    reason: z.string(),
    placedBy: z.string(),
    placedAt: at,
    endsAt: at,
    liftedAt: at.nullable(),
    liftedBy: z.string().nullable(),
    liftReason: z.string().nullable(),
  })
  .meta({ id: 'Hold' })

export const holdRoutes = [
  get({
    path: 'holds',
    tag: 'Keys',
    summary: 'Holds of every store, the newest first',
    description:
      'Read from the stores themselves. `unread` names stores whose holds are not known now, and why.',
    verb: 'view',
    query: z.strictObject({ ...pageQuery, source: text.optional(), inForce: flag.optional() }),
    responses: {
      200: {
        description: 'A page of holds',
        schema: listOf(holdSchema).extend({
          unread: z.array(z.object({ source: z.string(), name: z.string(), why: z.string() })),
          storesAsked: z
            .int()
            .min(0)
            .describe('Connected stores that keep holds. 0 = nothing is known, and nothing can be held'),
        }),
      },
    },
    async handle(ctx, { query: { limit, cursor, ...filter } }) {
      return ok(await listHolds(ctx, filter, { limit, cursor }))
    },
  }),

  post({
    path: 'holds',
    tag: 'Keys',
    summary: 'Hold new executions of a route, a caller, a key or a whole store, or a step of effects',
    description:
      'They answer 503 with the problem type `held`; replays go on, what runs ends. In force in every process of the service within 2 seconds; it ends by itself, after 24 hours at most. Works while writes are switched off.',
    verb: 'hold.place',
    body: placeHoldSchema,
    worksWhenWritesAreOff: true,
    responses: { 201: { description: 'The hold', schema: holdSchema } },
    async handle(ctx, { body }) {
      return created(await placeHold(ctx, body))
    },
  }),

  post({
    path: 'holds/{id}/lift',
    tag: 'Keys',
    summary: 'Lift a hold before its end',
    description:
      'It takes a person: a session, or a token of their own. One that has ended by then is answered as it is.',
    verb: 'hold.lift',
    params: idParam,
    body: z.strictObject({ source: text, reason: holdReasonSchema }),
    responses: { 200: { description: 'The hold', schema: holdSchema } },
    async handle(ctx, { params, body }) {
      return ok(await liftHold(ctx, { id: params.id, ...body }))
    },
  }),
]
