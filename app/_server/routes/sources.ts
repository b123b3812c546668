import { z } from 'zod'
import { readKillSwitch, setKillSwitch } from '@/lib/actions/kill-switch'
import { readConditions } from '@/lib/conditions/read-conditions'
import { CONDITION_KINDS } from '@/lib/core/condition-kinds'
import { reasonSchema } from '@/lib/core/reason'
import { listSources } from '@/lib/mirror/read/list-sources'
import { adapterNameSchema } from '@/lib/sources/adapters'
import { connectSource, switchSource } from '@/lib/sources/connect'
import { engineNameSchema } from '@/lib/sources/engines'
import { removeSource } from '@/lib/sources/manage/remove'
import { detectSource, previewSource } from '@/lib/sources/preview'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import { created, get, ok, post } from '../api/route'
import { listOf, sourceSchema } from '../api/schemas'
import { grantsText } from '../grants-text'
import { services } from '../services'
import { changeRoutes } from './sources/change'

const at = z.iso.datetime()
const word = z.string().nullable()

const killSwitchSchema = z
  .object({
    on: z.boolean(),
    reason: word,
    by: word,
    at: at.nullable(),
    pending: z
      .object({ by: z.string(), byId: z.string(), reason: z.string(), at, expiresAt: at })
      .nullable()
      .describe('An approver asks to switch writes on again; a second one agrees by asking too'),
    version: z.number(),
  })
  .meta({ id: 'KillSwitch' })

const secret = z
  .record(z.string(), z.string().max(2_000))
  .describe(
    'As the adapter or the engine takes it, such as `{ "url" }`. Sealed when it is saved, never given back',
  )
const draft = { adapter: adapterNameSchema, config: z.record(z.string(), z.unknown()).default({}), secret }
const rules = () => ({ demo: services().settings.IDEMSCOPE_DEMO })

export const sourceRoutes = [
  get({
    path: 'sources',
    tag: 'Sources',
    summary: 'Stores, ledgers, providers, outboxes and dead letters, and whether they can be read',
    verb: 'view',
    responses: { 200: { description: 'All of them', schema: listOf(sourceSchema) } },
    async handle(ctx) {
      return ok({ items: await listSources(ctx.db, ctx.clock.now()), next: null })
    },
  }),

  post({
    path: 'sources',
    tag: 'Sources',
    summary: 'Connect a source',
    description: 'A name that is taken is refused. It is read from the next turn on.',
    verb: 'source.manage',
    body: z.strictObject({
      ...draft,
      name: z.string().min(1).max(60),
      system: z.string().describe('Sources of one system are reconciled with each other'),
      region: z.string().nullable().optional().describe('Where its records are kept'),
      reason: reasonSchema,
    }),
    responses: { 201: { description: 'Its id', schema: z.object({ id: z.string() }) } },
    async handle(ctx, { body }) {
      return created(await connectSource(ctx, body, rules()))
    },
  }),

  ...(['off', 'on'] as const).map((to) =>
    post({
      path: `sources/{id}/switch-${to}`,
      tag: 'Sources',
      summary: to === 'off' ? 'Read a source no more, and do nothing in it' : 'Read a source again',
      description:
        to === 'off'
          ? 'Its silence proves nothing: runs of its system are incomplete until it is on again. What was read of it is kept.'
          : 'From the next turn on, from where it was left.',
      verb: 'source.manage',
      params: z.object({ id: z.string() }),
      body: z.strictObject({ reason: reasonSchema }),
      responses: {
        200: { description: 'What it is now', schema: z.object({ id: z.string(), enabled: z.boolean() }) },
      },
      async handle(ctx, { params, body }) {
        return ok(await switchSource(ctx, { id: params.id, on: to === 'on', reason: body.reason }))
      },
    }),
  ),

  ...changeRoutes,

  post({
    path: 'sources/{id}/remove',
    tag: 'Sources',
    summary: 'Remove a source that is switched off',
    description:
      'Its credentials, what was read of it, where its readings stood and its retention policies go. Cases with what they rest on, actions, archives and the audit log stay. Nothing of before is concluded from its silence. Refused while a run, an action or a proposal needs it.',
    verb: 'source.manage',
    params: z.object({ id: z.string() }),
    body: z.strictObject({
      version: z.int().describe('The one that was seen'),
      name: z.string().describe('Its name, typed'),
      reason: reasonSchema,
    }),
    responses: {
      200: {
        description: 'What went',
        schema: z.object({ id: z.string(), rowsForgotten: z.number() }),
      },
    },
    async handle(ctx, { params, body }) {
      return ok(await removeSource(ctx, { ...body, id: params.id }))
    },
  }),

  post({
    path: 'sources/detect',
    tag: 'Sources',
    summary: 'Which idempotency keys and messages are kept at an address',
    description: 'Reads the catalogue of a database, or a sample of keys; nothing is saved.',
    verb: 'source.manage',
    body: z.strictObject({ engine: engineNameSchema.default('postgresql'), secret }),
    responses: {
      200: {
        description: 'Layouts that are known by their columns, or by the shape of their values',
        schema: listOf(
          z.object({
            adapter: z.string(),
            library: z.string(),
            place: z.string().describe('The table, or the pattern of the keys'),
            config: z.record(z.string(), z.unknown()),
            rowsEstimate: z.number(),
          }),
        ),
      },
    },
    async handle(ctx, { body }) {
      return ok({ items: await detectSource(ctx, body), next: null })
    },
  }),

  post({
    path: 'sources/preview',
    tag: 'Sources',
    summary: 'What a mapping makes of real rows, and the rights that its role needs',
    description: 'Read-only, with a timeout; never a body or a header. Nothing is saved.',
    verb: 'source.manage',
    body: z.strictObject(draft),
    responses: {
      200: {
        description: 'Rows, capabilities, and what grants the rights',
        schema: z.object({
          capabilities: z.record(z.string(), z.unknown()),
          storeNow: at,
          rows: z.array(z.looseObject({ scope: z.string(), key: z.string(), state: z.string() })),
          moreLive: z.boolean(),
          messages: z
            .object({
              dead: z.array(
                z.looseObject({ topic: z.string(), id: z.string().nullable(), state: z.string() }),
              ),
              topics: z.array(z.looseObject({ topic: z.string(), unsent: z.number().nullable() })),
            })
            .nullable()
            .describe('Of a source of messages; null = it is a store'),
          grants: z.string().describe('SQL, or what its engine takes'),
        }),
      },
    },
    async handle(ctx, { body }) {
      const preview = await previewSource(ctx, body, rules())
      return ok({ ...preview, grants: grantsText(body.adapter, body.config) })
    },
  }),

  get({
    path: 'services',
    tag: 'Sources',
    summary: 'Services that send telemetry, the stalest first',
    verb: 'view',
    responses: {
      200: {
        description: 'All of them',
        schema: listOf(
          z.object({
            service: z.string(),
            environment: z.string(),
            firstSpanAt: at,
            lastSpanAt: at,
            lastReceivedAt: at,
            ageMs: z.number(),
            stale: z.boolean(),
          }),
        ),
      },
    },
    async handle(ctx) {
      return ok({ items: await readFreshness(ctx.db, ctx.clock.now()), next: null })
    },
  }),

  get({
    path: 'conditions',
    tag: 'Sources',
    summary: 'Conditions that hold now, the oldest first',
    verb: 'view',
    responses: {
      200: {
        description: 'All of them',
        schema: listOf(
          z.object({
            id: z.string(),
            kind: z.enum(CONDITION_KINDS),
            subject: z.string(),
            since: at,
            detail: z.record(z.string(), z.unknown()),
          }),
        ),
      },
    },
    async handle(ctx) {
      return ok({ items: await readConditions(ctx.db), next: null })
    },
  }),

  get({
    path: 'settings/kill-switch',
    tag: 'Settings',
    summary: 'Whether writes are switched off',
    verb: 'view',
    responses: { 200: { description: 'The kill switch', schema: killSwitchSchema } },
    async handle(ctx) {
      return ok(await readKillSwitch(ctx.db))
    },
  }),

  post({
    path: 'settings/kill-switch',
    tag: 'Settings',
    summary: 'Switch all writes off, or on again',
    description:
      'While it is on, every mutation answers 403, except those that only stop, reject or withdraw something; reads go on. It is checked again right before each call to the outside. Switching writes on again (`on: false`) takes an administrator, or two approvers within 15 minutes: the first one’s answer has `pending`.',
    verb: 'kill_switch.set',
    body: z.strictObject({ on: z.boolean(), reason: reasonSchema }),
    worksWhenWritesAreOff: true,
    responses: { 200: { description: 'The kill switch', schema: killSwitchSchema } },
    async handle(ctx, { body }) {
      return ok(await setKillSwitch(ctx, body))
    },
  }),
]
