import { z } from 'zod'
import { reasonSchema } from '@/lib/core/reason'
import { changeSource, RECORDS } from '@/lib/sources/manage/change'
import { describeSource, lookAtChange } from '@/lib/sources/manage/describe'
import { get, ok, post } from '../../api/route'
import { services } from '../../services'

const params = z.object({ id: z.string() })
const rules = () => ({ demo: services().settings.IDEMSCOPE_DEMO })
const json = z.record(z.string(), z.unknown())

const change = {
  system: z.string(),
  region: z.string().nullable().default(null),
  config: json.describe('Whole, as the adapter takes it'),
  secret: z
    .record(z.string(), z.string().max(2_000).nullable())
    .default({})
    .describe('Fields that are entered anew; null forgets one. What is left out stays as it is'),
  records: z
    .enum(RECORDS)
    .optional()
    .describe(
      'Of another place: the same records, which moved, or other ones. Needed when the place changes',
    ),
}

const outcome = z
  .enum(['kept', 'read_again', 'forgotten'])
  .describe(
    'What becomes of what was read: it stays; it stays and is read again from the beginning; it goes, and is read from the beginning',
  )

export const changeRoutes = [
  get({
    path: 'sources/{id}',
    tag: 'Sources',
    summary: 'A source as it can be changed, without its secret',
    verb: 'source.manage',
    params,
    responses: {
      200: {
        description: 'The source',
        schema: z.object({
          id: z.string(),
          version: z.number(),
          name: z.string(),
          kind: z.string(),
          adapter: z.string(),
          system: z.string(),
          region: z.string().nullable(),
          enabled: z.boolean(),
          config: json,
          secret: z
            .array(z.object({ name: z.string(), optional: z.boolean(), kept: z.boolean() }))
            .describe('What its secret has a field for, and whether one is kept; never what it is'),
          place: z.record(z.string(), z.string()).describe('Where it reads, without credentials'),
        }),
      },
    },
    async handle(ctx, { params: { id } }) {
      return ok(await describeSource(ctx, id, rules()))
    },
  }),

  post({
    path: 'sources/{id}/look',
    tag: 'Sources',
    summary: 'Try a change, and what it would do; nothing is saved',
    description: 'Connects with it and reads a few rows, read-only, with a timeout.',
    verb: 'source.manage',
    params,
    body: z.strictObject(change),
    responses: {
      200: {
        description: 'What its rows mean then, and what becomes of what was read',
        schema: z.object({
          reading: z.object({
            kind: z.enum(['pace', 'mapping', 'place']),
            fields: z.array(
              z.object({ name: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
            ),
          }),
          outcome,
          config: json,
          preview: z.looseObject({}).nullable().describe('Null = its kind has none; it answered'),
        }),
      },
    },
    async handle(ctx, { params: { id }, body }) {
      return ok(await lookAtChange(ctx, { ...body, id }, rules()))
    },
  }),

  post({
    path: 'sources/{id}/change',
    tag: 'Sources',
    summary: 'Change what a source is read with',
    description:
      'Its name and adapter stay. Answers 409 when it was changed since `version`. Where it reads another place, or understands its records otherwise, it has to be switched off first, and no position of a reading is used again.',
    verb: 'source.manage',
    params,
    body: z.strictObject({
      ...change,
      version: z.int().describe('The one that was seen'),
      reason: reasonSchema,
    }),
    responses: {
      200: {
        description: 'Its new version, and what became of what was read',
        schema: z.object({ id: z.string(), version: z.number(), outcome }),
      },
    },
    async handle(ctx, { params: { id }, body }) {
      return ok(await changeSource(ctx, { ...body, id }, rules()))
    },
  }),
]
