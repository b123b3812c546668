import { z } from 'zod'
import type { OperateResult } from '@/lib/actions/bulk/operate-each'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { KEY_STATES, type KeyAction, LOCK_VERDICTS } from '@/lib/core/states'
import { executeSnapshot } from '@/lib/locks/bulk/execute-snapshot'
import { createSnapshot, lockFilterSchema } from '@/lib/locks/bulk/snapshots'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { readUnlisted } from '@/lib/locks/unlisted'
import { INLINE_MAX, operateLocks } from '@/lib/locks/verbs/operate-locks'
import { readStoreState } from '@/lib/mirror/read/list-sources'
import { anyOf, flag, pageQuery, text } from '../api/inputs'
import { type Answer, accepted, get, ok, post, type RouteContext } from '../api/route'
import { listOf, lockSchema, moneyJson, runSchema, storesSchema } from '../api/schemas'

const snapshotOfFilter = z
  .strictObject({
    filter: lockFilterSchema,
    dryRun: z.literal(true, 'must be true: look at the snapshot first, then send its snapshotId'),
  })
  .describe('Takes a snapshot of what matches now, and says what would be done and what would not')
const snapshot = z
  .strictObject({ snapshotId: z.string().startsWith('snap_'), reason: reasonSchema })
  .describe('Carries a snapshot out: up to 20 at once, more as a run')
const named = z
  .strictObject({
    ids: z.array(z.string().startsWith('lock_')).min(1, 'name at least one lock').max(INLINE_MAX),
    seen: z.record(z.string(), z.string()).describe('The version of each, as it was read'),
    reason: reasonSchema,
  })
  .describe('Acts on these locks at once, each only as it was seen')

type Operation = z.output<typeof snapshotOfFilter> | z.output<typeof snapshot> | z.output<typeof named>

const operation = z.union([named, snapshotOfFilter, snapshot])

const variants: [name: string, schema: z.ZodType<Operation>][] = [
  ['ids', named],
  ['snapshotId', snapshot],
  ['filter', snapshotOfFilter],
]

/** Chosen by what the body names, so that a fault is told in the terms of what was meant. */
function parseOperation(body: unknown): Operation {
  const given = z.record(z.string(), z.unknown()).safeParse(body)
  const variant = variants.find(([name]) => given.success && name in given.data)
  if (variant === undefined) {
    throw new AppError(
      'invalid',
      'Name the locks: `ids` with what was `seen` of them, a `filter` with `dryRun: true`, or the `snapshotId` of one.',
    )
  }
  const parsed = variant[1].parse(body)
  if ('filter' in parsed && Object.keys(parsed.filter).length === 0) {
    throw new AppError('invalid', 'filter: it is empty. Say what is meant, e.g. {"stuckOnly": true}.')
  }
  return parsed
}

/** Refusals that say: it is not what you saw. */
const STALE = new Set(['fence_changed', 'state_changed', 'gone', 'evidence_changed'])

const itemSchema = z.object({
  lockId: z.string(),
  actionId: z.string().nullable(),
  state: z.string(),
  reason: z.string().nullable(),
  text: z.string().nullable(),
})

const toItem = ({ id, ...rest }: OperateResult): z.infer<typeof itemSchema> => ({ lockId: id, ...rest })

async function operate(ctx: RouteContext, verb: KeyAction, body: unknown): Promise<Answer> {
  const input = parseOperation(body)
  if ('filter' in input) return ok(await createSnapshot(ctx, verb, input.filter))
  if ('snapshotId' in input) {
    const executed = await executeSnapshot(ctx, input.snapshotId, input.reason, { verb })
    return executed.kind === 'run'
      ? accepted({ run: executed.run })
      : ok({ items: executed.items.map(toItem) })
  }
  return operateNamed(ctx, verb, input)
}

async function operateNamed(
  ctx: RouteContext,
  verb: KeyAction,
  input: z.output<typeof named>,
): Promise<Answer> {
  let results: OperateResult[]
  try {
    results = await operateLocks(ctx, verb, input)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'conflict') throw error
    throw new AppError('conflict', error.message, {
      meta: { ...error.meta, locks: await readLocks(ctx, input.ids) },
      cause: error,
    })
  }
  const [proposed] = results
  if (proposed?.state === 'proposed' && proposed.actionId !== null)
    return accepted({ proposal: proposed.actionId, items: results.map(toItem) })
  const refused = results.filter(({ state }) => state === 'refused')
  const stale = refused.filter(({ reason }) => reason !== null && STALE.has(reason))
  if (stale.length === 0 && !(results.length === 1 && refused.length === 1))
    return ok({ items: results.map(toItem) })
  const done = results.filter(({ state }) => state === 'done').length
  const [first] = stale.length > 0 ? stale : refused
  throw new AppError(
    'conflict',
    `${first?.text ?? 'It was refused.'} ${done === 0 ? 'Nothing was changed.' : `${done} of ${results.length} were done.`}`,
    {
      meta: {
        items: results.map(toItem),
        locks: await readLocks(
          ctx,
          refused.map(({ id }) => id),
        ),
      },
    },
  )
}

/** The fresh state beside a conflict. A lock that is gone says when it went. */
async function readLocks(ctx: RouteContext, ids: readonly string[]): Promise<LockView[]> {
  const rows = await ctx.db.prisma.lock.findMany({
    where: { id: { in: [...ids] } },
    select: { id: true, sourceId: true, scope: true, key: true },
    take: INLINE_MAX,
  })
  const now = ctx.clock.now()
  const pages = await Promise.all(
    rows.map(({ sourceId: source, scope, key }) =>
      listLocks(ctx.db, { source, scope, key, goneToo: true }, { limit: 200 }, now),
    ),
  )
  const wanted = new Set(rows.map(({ id }) => id))
  return pages.flatMap(({ items }) => items.filter(({ id }) => wanted.has(id)))
}

const unlistedSchema = z
  .array(z.object({ source: z.string(), name: z.string(), listed: z.number(), checkedAt: z.iso.datetime() }))
  .describe('Stores with more live locks than are listed: the oldest are. What is not listed is not acted on')

const snapshotSchema = z.object({
  snapshotId: z.string(),
  verb: z.enum(['release', 'complete', 'fail']),
  environment: z.string(),
  count: z.number(),
  totals: z.array(moneyJson),
  samples: z.array(z.looseObject({ lockId: z.string(), version: z.string() })),
  excluded: z.array(z.looseObject({ lockId: z.string(), reason: z.string(), text: z.string() })),
  unlisted: unlistedSchema,
  expiresAt: z.iso.datetime(),
})

const CONSEQUENCE: Record<KeyAction, string> = {
  release: 'The caller may execute again: its next retry takes the key over, with all steps kept.',
  complete: 'The caller’s retry is answered as the handler would have, with the provider’s object.',
  fail: 'Proposes that the caller’s retry is answered with a final failure; a second person approves it (actions/{id}/approve). One key at a time, by a person: a session, or a token of their own.',
}

const verbRoute = (verb: KeyAction) =>
  post({
    path: `locks/${verb}`,
    tag: 'Keys',
    summary: `${verb[0]?.toUpperCase()}${verb.slice(1)} locks`,
    description: `${CONSEQUENCE[verb]} Store and provider are read again; it is written only where all is as it was seen, else it answers 409 with the fresh state.`,
    verb: `lock.${verb}`,
    body: operation,
    parsesItself: true,
    responses: {
      200: {
        description: 'What became of each, or the snapshot',
        schema: z.union([z.object({ items: z.array(itemSchema) }), snapshotSchema]),
      },
      202:
        verb === 'fail'
          ? {
              description: 'It is proposed: `proposal` is the action that a second person decides on',
              schema: z.object({ proposal: z.string(), items: z.array(itemSchema) }),
            }
          : { description: 'A run carries it out', schema: z.object({ run: runSchema }) },
    },
    handle: (ctx, { body }) => operate(ctx, verb, body),
  })

export const lockRoutes = [
  get({
    path: 'locks',
    tag: 'Keys',
    summary: 'Live locks, the oldest first',
    description:
      'As of the last check of each: state, holder, the provider’s answer, and the one safe action.',
    verb: 'view',
    query: z.strictObject({
      ...pageQuery,
      state: anyOf(KEY_STATES).optional(),
      verdict: anyOf(LOCK_VERDICTS).optional(),
      source: text.optional(),
      scope: text.optional(),
      key: text.optional(),
      stuckOnly: flag.optional().describe('Only those that nobody works on any more'),
      goneToo: flag.optional().describe('Also those that have ended since'),
    }),
    responses: {
      200: {
        description: 'A page of locks',
        schema: listOf(lockSchema).extend({ unlisted: unlistedSchema, stores: storesSchema }),
      },
    },
    async handle(ctx, { query: { limit, cursor, ...filter } }) {
      const page = await listLocks(ctx.db, filter, { limit, cursor }, ctx.clock.now())
      const [unlisted, stores] = await Promise.all([readUnlisted(ctx.db, filter), readStoreState(ctx.db)])
      return ok({ ...page, unlisted, stores })
    },
  }),
  verbRoute('release'),
  verbRoute('complete'),
  verbRoute('fail'),
]
