import { z } from 'zod'
import { readKillSwitch, setKillSwitch } from '@/lib/actions/kill-switch'
import { readConditions } from '@/lib/alerts/read-conditions'
import { reasonSchema } from '@/lib/core/reason'
import { CONDITION_KINDS } from '@/lib/core/verdict'
import { listSources } from '@/lib/sources/list'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import { get, ok, post } from '../api/route'
import { listOf, sourceSchema } from '../api/schemas'

const at = z.iso.datetime()
const word = z.string().nullable()

const killSwitchSchema = z
  .object({ on: z.boolean(), reason: word, by: word, at: at.nullable(), version: z.number() })
  .meta({ id: 'KillSwitch' })

export const sourceRoutes = [
  get({
    path: 'sources',
    tag: 'Sources',
    summary: 'Stores, ledgers and providers, and whether they can be read',
    verb: 'view',
    responses: { 200: { description: 'All of them', schema: listOf(sourceSchema) } },
    async handle(ctx) {
      return ok({ items: await listSources(ctx.db, ctx.clock.now()), next: null })
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
      'While it is on, every mutation answers 403 and reads go on. It is checked again right before each call to the outside.',
    verb: 'kill_switch.set',
    body: z.strictObject({ on: z.boolean(), reason: reasonSchema }),
    worksWhenWritesAreOff: true,
    responses: { 200: { description: 'The kill switch', schema: killSwitchSchema } },
    async handle(ctx, { body }) {
      return ok(await setKillSwitch(ctx, body))
    },
  }),
]
