import { z } from 'zod'
import { KEY_STATES } from '@/lib/core/states'
import { listEffects } from '@/lib/effects/list-effects'
import { getKey } from '@/lib/keys/get-key'
import { listKeys } from '@/lib/keys/list-keys'
import { readStoreState } from '@/lib/mirror/read/list-sources'
import { hasEffects } from '@/lib/telemetry/read/effects/has-effects'
import { idParam, pageQuery, text } from '../api/inputs'
import { get, ok } from '../api/route'
import {
  actionSchema,
  effectSchema,
  keySchema,
  listOf,
  lockSchema,
  moneyJson,
  storesSchema,
} from '../api/schemas'

const at = z.iso.datetime().nullable()
const word = z.string().nullable()

const effectsPage = listOf(effectSchema).extend({
  measured: z
    .boolean()
    .describe('Whether any side effect was ever told of: an empty list means none only then'),
})

const keyDetail = z
  .looseObject({
    id: z.string(),
    source: z.string(),
    sourceName: z.string(),
    scope: z.string(),
    key: z.string(),
    state: z.enum(KEY_STATES).nullable(),
    storeError: word.describe('null = the store was read now; else the state is as it was last staged'),
    attempts: z.number().nullable(),
    holder: word,
    fence: word,
    createdAt: at,
    expiresAt: at,
    response: z.object({ status: z.number(), bodyBytes: z.number() }).nullable(),
    effects: z.array(z.looseObject({ step: z.string(), name: z.string(), amount: moneyJson.nullable() })),
    actionsPossible: z.array(z.enum(['release', 'complete', 'fail'])),
    lock: lockSchema.nullable(),
    providerObjects: z.array(
      z.looseObject({ amount: moneyJson.nullable().describe('null = the object could not be read') }),
    ),
    keyedRequests: z.array(z.looseObject({ traceId: z.string(), outcome: z.string() })),
    sightings: z
      .array(z.looseObject({}))
      .describe('The former name of keyedRequests')
      .meta({ deprecated: true }),
    cases: z.array(z.looseObject({ id: z.string(), class: z.string() })),
    actions: z.array(actionSchema),
  })
  .meta({ id: 'KeyDetail' })

export const keyRoutes = [
  get({
    path: 'keys',
    tag: 'Keys',
    summary: 'Idempotency keys, the last changed first',
    description: 'As they were last staged from the stores. A key with several lives shows its latest.',
    verb: 'view',
    query: z.strictObject({
      ...pageQuery,
      key: text.optional().describe('The key itself, without quotes'),
      prefix: text.optional().describe('How the key begins: three characters or more'),
      traceId: text.optional().describe('32 hex digits: the trace of its last execution'),
      providerRef: text.optional().describe('What the provider made of it: `ch_…`, `re_…`'),
      scope: text.optional().describe('`{caller}/{METHOD} {route}`'),
      source: text.optional(),
      state: z.enum(KEY_STATES, `one of ${KEY_STATES.join(', ')}`).optional(),
      reference: text.optional().describe('The business reference that its record names'),
    }),
    responses: {
      200: { description: 'A page of keys', schema: listOf(keySchema).extend({ stores: storesSchema }) },
    },
    async handle(ctx, { query: { limit, cursor, ...filter } }) {
      const [page, stores] = await Promise.all([
        listKeys(ctx, filter, { limit, cursor }),
        readStoreState(ctx.db),
      ])
      return ok({ ...page, stores })
    },
  }),

  get({
    path: 'keys/{id}',
    tag: 'Keys',
    summary: 'All that is known of one key',
    description: 'The store is read now. What was staged, seen in traces, checked and done comes beside it.',
    verb: 'view',
    params: idParam,
    responses: { 200: { description: 'The key', schema: keyDetail } },
    async handle(ctx, { params }) {
      const detail = await getKey(ctx, params.id)
      return ok({ ...detail, sightings: detail.keyedRequests })
    },
  }),

  get({
    path: 'effects',
    tag: 'Effects',
    summary: 'Side effects that happened twice, or that no record answers for',
    description:
      'Suspected by traces within seconds, confirmed by store and provider. Orphans are the classes `stuck_effect_done` and `orphan_effect`.',
    verb: 'view',
    query: z.strictObject({ ...pageQuery, kind: z.enum(['duplicate', 'orphan'], 'duplicate or orphan') }),
    responses: { 200: { description: 'A page of effects, newest first', schema: effectsPage } },
    async handle(ctx, { query: { kind, ...page } }) {
      const [effects, measured] = await Promise.all([listEffects(ctx, { kind }, page), hasEffects(ctx.db)])
      return ok({ ...effects, measured })
    },
  }),
]
