import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import type { MessageVerb } from '@/lib/core/states'
import { executeMessageSnapshot } from '@/lib/messages/bulk/execute-snapshot'
import { snapshotMessages } from '@/lib/messages/bulk/snapshot-messages'
import { CONSUMER_STATES } from '@/lib/messages/dedup/consumer-answer'
import { MESSAGE_REFUSALS } from '@/lib/messages/dedup/decide'
import { shortConsumersSchema } from '@/lib/messages/dedup/short-consumers'
import { deadFilterSchema, groupDeadLetters, listDeadLetters } from '@/lib/messages/read/dead-letters'
import { readMessageSources } from '@/lib/messages/read/overview'
import { readMessageNow } from '@/lib/messages/read/read-message'
import { operateMessage } from '@/lib/messages/verbs/operate-message'
import { MESSAGE_STATES } from '@/lib/sources/contracts'
import { pageQuery, text } from '../api/inputs'
import { type Answer, accepted, get, ok, post, type RouteContext } from '../api/route'
import { actionSchema, listOf, runSchema } from '../api/schemas'

const at = z.iso.datetime().nullable()
const word = z.string().nullable()
const count = z.number().nullable().describe('null = the source cannot tell')

const sourceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    system: z.string(),
    kind: z.string(),
    enabled: z.boolean(),
    state: z.enum(['ok', 'stale', 'down', 'never']),
    lastOkAt: at,
    lastError: word,
    checkedAt: at.describe('When it was last looked at; null = never'),
    topics: z.array(
      z.object({
        topic: z.string(),
        unsent: count,
        retrying: count,
        oldestUnsentAt: at,
        dead: count,
        published: count.describe('In the last whole minute'),
        left: count.describe('Sent or given up in that minute; null = not measured'),
      }),
    ),
    atLeast: z.boolean().describe('Counts were cut: there are more'),
    deadListed: z.number(),
    deadMore: z.boolean().describe('It has more dead messages than are listed'),
    relays: z
      .array(z.object({ owner: z.string(), seenAt: z.string(), asleep: z.boolean(), silentMs: z.number() }))
      .nullable(),
    heldBackBy: z
      .object({
        text: z.string(),
        since: at,
        unsent: z.number().describe('Messages that wait behind it'),
        oldestAt: z.iso.datetime().describe('When the first of them was published'),
      })
      .nullable()
      .describe('The open transaction that holds messages back'),
    shortConsumers: shortConsumersSchema.describe(
      'Whose records end before the broker stops delivering again',
    ),
  })
  .meta({ id: 'MessageSource' })

const letterSchema = z
  .object({
    id: z.string(),
    source: z.string(),
    place: z.string().describe('Names it in its source'),
    version: z.string().describe('What a change compares'),
    messageId: word,
    topic: z.string(),
    key: word,
    type: word,
    group: word,
    error: word,
    fingerprint: z.string(),
    title: z.string(),
    attempts: z.number(),
    sizeBytes: z.number(),
    traceId: word,
    publishedAt: at,
    diedAt: at,
  })
  .meta({ id: 'DeadLetter' })

const groupSchema = z.object({
  fingerprint: z.string(),
  topic: z.string(),
  title: z.string(),
  count: z.number(),
  sources: z.array(z.string()),
  firstAt: at,
  lastAt: at,
})

const messageSchema = z
  .object({
    source: z.object({ id: z.string(), name: z.string(), system: z.string() }),
    message: z.object({
      id: word,
      version: z.string(),
      topic: z.string(),
      key: word,
      type: word,
      state: z.enum(MESSAGE_STATES),
      publishedAt: at,
      settledAt: at,
      attempts: z.number(),
      error: word,
      traceId: word,
      headers: z.record(z.string(), z.string()),
      sizeBytes: z.number(),
    }),
    consumers: z.array(
      z.object({
        group: z.string(),
        store: z.string(),
        sourceId: word,
        scope: z.string(),
        named: z.boolean().describe('In the source’s configuration; else only its records were seen'),
        movesMoney: z.boolean(),
        state: z.enum(CONSUMER_STATES),
        text: z.string(),
      }),
    ),
    decision: z.union([
      z.object({ kind: z.literal('redrive') }),
      z.object({ kind: z.literal('refused'), reason: z.enum(MESSAGE_REFUSALS), text: z.string() }),
    ]),
  })
  .meta({ id: 'MessageNow' })

const placeParams = z.strictObject({ source: text, place: text })

const filterQuery = {
  source: text.optional(),
  topic: text.optional(),
  fingerprint: text.optional(),
}

const ofFilter = z.strictObject({
  filter: deadFilterSchema,
  dryRun: z.literal(true, 'must be true: look at the snapshot first, then send its snapshotId'),
})
const ofSnapshot = z.strictObject({ snapshotId: z.string().startsWith('snap_'), reason: reasonSchema })

const CONSEQUENCE: Record<MessageVerb, string> = {
  redrive:
    'It is published again under its own id, behind what was published of its key meanwhile. Only where each consumer’s own record shows that a second delivery does no harm.',
  discard: 'It is never published again; it stays to be read until its day is collected.',
}

const snapshotSchema = z.object({
  snapshotId: z.string(),
  verb: z.enum(['redrive', 'discard']),
  environment: z.string(),
  count: z.number(),
  money: z.number().describe('Of those, where money moves'),
  needsSecondPerson: z.boolean(),
  samples: z.array(z.looseObject({ id: z.string(), place: z.string(), topic: z.string() })),
  excluded: z.array(z.object({ reason: z.enum(MESSAGE_REFUSALS), count: z.number() })),
  excludedShown: z.array(
    z.object({ id: z.string(), place: z.string(), reason: z.enum(MESSAGE_REFUSALS), text: z.string() }),
  ),
  more: z.boolean(),
  expiresAt: z.iso.datetime(),
})
const resultSchema = z.object({
  id: z.string(),
  actionId: word,
  state: z.string(),
  reason: word,
  text: word,
})

async function many(
  ctx: RouteContext,
  verb: MessageVerb,
  body: z.output<typeof ofFilter> | z.output<typeof ofSnapshot>,
): Promise<Answer> {
  if ('filter' in body) return ok(await snapshotMessages(ctx, verb, body.filter))
  const done = await executeMessageSnapshot(ctx, body.snapshotId, body.reason, verb)
  if (done.kind === 'proposed') return accepted({ proposal: done.action.id })
  return done.kind === 'run' ? accepted({ run: done.run }) : ok({ items: done.items })
}

const manyRoute = (verb: MessageVerb) =>
  post({
    path: `messages/${verb}`,
    tag: 'Messages',
    summary: `${verb === 'redrive' ? 'Send' : 'Discard'} dead messages${verb === 'redrive' ? ' again' : ''}`,
    description: `${CONSEQUENCE[verb]} A filter with \`dryRun: true\` takes a snapshot of what matches, 1,000 at most; its id carries it out: up to 20 at once, up to 100 as a run; more, or where money moves, is proposed for a second person. Each is read again before it is done.`,
    verb: `message.${verb}`,
    body: z.union([ofFilter, ofSnapshot]),
    responses: {
      200: {
        description: 'The snapshot, or what became of each',
        schema: z.union([z.object({ items: z.array(resultSchema) }), snapshotSchema]),
      },
      202: {
        description: 'A run carries it out, or `proposal` is the action that a second person decides on',
        schema: z.union([z.object({ run: runSchema }), z.object({ proposal: z.string() })]),
      },
    },
    handle: (ctx, { body }) => many(ctx, verb, body),
  })

const oneBody = z.strictObject({ version: text.describe('As it was read'), reason: reasonSchema })

const oneRoute = (verb: MessageVerb) =>
  post({
    path: `messages/{source}/{place}/${verb}`,
    tag: 'Messages',
    summary: verb === 'redrive' ? 'Send one dead message again' : 'Discard one dead message',
    description: `${CONSEQUENCE[verb]} 409 where it is not as it was seen, or its consumers say otherwise.`,
    verb: `message.${verb}`,
    params: placeParams,
    body:
      verb === 'redrive'
        ? oneBody.extend({
            payload: z
              .string()
              .max(262_144)
              .optional()
              .describe('Other content: a new message that names the old one, which is discarded'),
          })
        : oneBody,
    responses: {
      200: {
        description: 'The action; `proposed` where money moves: a second person decides on it',
        schema: actionSchema,
      },
    },
    async handle(ctx, { params, body }) {
      const { payload, ...input } = z.object({ payload: z.string().optional() }).and(oneBody).parse(body)
      const action = await operateMessage(ctx, verb, {
        ...{ sourceId: params.source, place: params.place, version: input.version, reason: input.reason },
        payload: payload === undefined ? undefined : Buffer.from(payload),
      })
      if (action.state !== 'refused') return ok(action)
      const why = z.object({ text: z.string() }).parse(action.result).text
      throw new AppError('conflict', `${why} Nothing was changed.`, { meta: { actionId: action.id } })
    },
  })

export const messageRoutes = [
  get({
    path: 'messages',
    tag: 'Messages',
    summary: 'Sources of messages: what is unsent and dead by topic, and who publishes',
    description:
      'As they were last looked at. A source that is down or stale says so; its figures are old then.',
    verb: 'view',
    query: z.strictObject({}),
    responses: { 200: { description: 'Every source', schema: z.object({ items: z.array(sourceSchema) }) } },
    handle: async (ctx) => ok({ items: await readMessageSources(ctx) }),
  }),
  get({
    path: 'messages/dead',
    tag: 'Messages',
    summary: 'Dead messages, the oldest first',
    verb: 'view',
    query: z.strictObject({ ...pageQuery, ...filterQuery }),
    responses: { 200: { description: 'A page of them', schema: listOf(letterSchema) } },
    async handle(ctx, { query: { limit, cursor, ...filter } }) {
      return ok(await listDeadLetters(ctx.db, filter, { limit, cursor }))
    },
  }),
  get({
    path: 'messages/groups',
    tag: 'Messages',
    summary: 'Dead messages by what they died of',
    verb: 'view',
    query: z.strictObject(filterQuery),
    responses: { 200: { description: 'The most first', schema: z.object({ items: z.array(groupSchema) }) } },
    handle: async (ctx, { query }) => ok({ items: await groupDeadLetters(ctx.db, query) }),
  }),
  get({
    path: 'messages/{source}/{place}',
    tag: 'Messages',
    summary: 'One message, and what each consumer’s record says of it',
    description: 'Read from the source and the consumers’ stores now. The payload is not shown here.',
    verb: 'view',
    params: placeParams,
    responses: { 200: { description: 'The message', schema: messageSchema } },
    async handle(ctx, { params }) {
      const { source, message, consumers, decision } = await readMessageNow(ctx, {
        sourceId: params.source,
        place: params.place,
      })
      const { seen, headers, group: _, actionId: __, ...rest } = message
      return ok({
        source: { id: source.id, name: source.name, system: source.system },
        message: {
          ...rest,
          version: seen.version,
          headers,
          publishedAt: message.publishedAt?.toISOString() ?? null,
          settledAt: message.settledAt?.toISOString() ?? null,
        },
        ...{ consumers, decision },
      })
    },
  }),
  manyRoute('redrive'),
  manyRoute('discard'),
  oneRoute('redrive'),
  oneRoute('discard'),
]
