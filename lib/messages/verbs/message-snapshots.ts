import { z } from 'zod'
import { type OperateResult, operateEach, toResult } from '@/lib/actions/bulk/operate-each'
import { bulkParamsSchema, runItems } from '@/lib/actions/bulk/run-items'
import { takeSnapshot } from '@/lib/actions/bulk/take-snapshot'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { actionView } from '@/lib/actions/view'
import type { Context, SystemContext } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { toJsonValue } from '@/lib/core/json-value'
import { reasonSchema } from '@/lib/core/reason'
import { MESSAGE_ACTION_KINDS, type MessageVerb } from '@/lib/core/states'
import { env } from '@/lib/env'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import { type RunView, runView } from '@/lib/runs/read'
import { startRunIn } from '@/lib/runs/start'
import { SourceUnavailableError } from '@/lib/sources/contracts'
import { openMessageSource } from '@/lib/sources/registry'
import { askConsumers } from '../dedup/ask-consumers'
import type { MessageRefusalReason } from '../dedup/decide'
import { type DeadFilter, type DeadLetter, deadFilterSchema, listDeadLetters } from '../read/dead-letters'
import { decideMessage } from '../read/read-message'
import { operateMessage } from './operate-message'

/** Of one act; more of the same are another one. */
export const MESSAGES_MAX = 1_000
/** More go on as a run. */
const INLINE_MAX = 20
const EXPIRES_MS = 15 * 60_000
const PAGE_ROWS = 200
const SHOWN_MAX = 100

const itemSchema = z.object({
  letter: z.string(),
  sourceId: z.string(),
  place: z.string(),
  version: z.string(),
})
type Item = z.infer<typeof itemSchema>

export type MessageExclusion = { id: string; place: string; reason: MessageRefusalReason; text: string }

export type MessageSnapshot = {
  snapshotId: string
  verb: MessageVerb
  environment: string
  count: number
  samples: { id: string; place: string; topic: string; key: string | null; type: string | null }[]
  /** What nothing is done to, by why; and the first of them. */
  excluded: { reason: MessageRefusalReason; count: number }[]
  excludedShown: MessageExclusion[]
  /** More matched than one act takes. */
  more: boolean
  expiresAt: string
}

/** Takes a snapshot of what a filter matches now: each message and its consumers are read, as the execution does again. */
export async function snapshotMessages(
  ctx: Context,
  verb: MessageVerb,
  filter: DeadFilter,
): Promise<MessageSnapshot> {
  authorise(ctx, `message.${verb}`)
  const wanted = deadFilterSchema.parse(filter)
  if (Object.keys(wanted).length === 0)
    throw new AppError('invalid', 'Name the messages: by ids, or by source, topic or fingerprint.')
  const { letters, more } = await collect(ctx, wanted)
  const items: Item[] = []
  const samples: MessageSnapshot['samples'] = []
  const excluded: MessageExclusion[] = []
  for (const letter of letters) {
    const why = await look(ctx, verb, letter)
    const { id, place, topic, key, type, version, source: sourceId } = letter
    if (why !== null) excluded.push({ id, place, ...why })
    else {
      items.push({ letter: id, sourceId, place, version })
      if (samples.length < SHOWN_MAX) samples.push({ id, place, topic, key, type })
    }
  }
  const now = ctx.clock.now()
  const reasons = new Map<MessageRefusalReason, number>()
  for (const { reason } of excluded) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  const preview = {
    environment: env().IDEMSCOPE_ENVIRONMENT,
    count: items.length,
    samples,
    excluded: [...reasons].map(([reason, count]) => ({ reason, count })),
    excludedShown: excluded.slice(0, SHOWN_MAX),
    more,
  }
  const { id: snapshotId, expiresAt } = await ctx.db.prisma.snapshot.create({
    data: {
      id: newId('snap'),
      verb,
      filter: toJsonValue(wanted) as object,
      items,
      preview: toJsonValue(preview) as object,
      createdBy: personOf(ctx),
      createdAt: now,
      expiresAt: new Date(now.getTime() + EXPIRES_MS),
    },
  })
  return { snapshotId, verb, ...preview, expiresAt: expiresAt.toISOString() }
}

async function collect(ctx: Context, filter: DeadFilter): Promise<{ letters: DeadLetter[]; more: boolean }> {
  const letters: DeadLetter[] = []
  let cursor: string | undefined
  do {
    const page = await listDeadLetters(ctx.db, filter, { limit: PAGE_ROWS, cursor })
    letters.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined && letters.length < MESSAGES_MAX)
  return {
    letters: letters.slice(0, MESSAGES_MAX),
    more: cursor !== undefined || letters.length > MESSAGES_MAX,
  }
}

type Why = { reason: MessageRefusalReason; text: string }

/** Why nothing would be done to it; null = it would. */
async function look(ctx: Context, verb: MessageVerb, letter: DeadLetter): Promise<Why | null> {
  try {
    const { source } = await openMessageSource(ctx, letter.source)
    const { message } = await source.readMessage(letter.place)
    if (message === null) return { reason: 'gone', text: 'It is not there any more.' }
    if (message.seen.version !== letter.version)
      return { reason: 'changed', text: 'It has changed since it was listed.' }
    if (verb === 'discard') {
      const text = source.capabilities.reasons?.discard ?? 'This source cannot end it.'
      return source.capabilities.canDiscard ? null : { reason: 'not_supported', text }
    }
    const consumers = await askConsumers(ctx, source, message)
    const decision = decideMessage(message, source.capabilities, consumers)
    return decision.kind === 'redrive' ? null : { reason: decision.reason, text: decision.text }
  } catch (error) {
    if (!(error instanceof SourceUnavailableError || error instanceof AppError)) throw error
    return { reason: 'source_unreachable', text: error.message }
  }
}

export type CarriedOutMessages = { kind: 'inline'; items: OperateResult[] } | { kind: 'run'; run: RunView }

/** Carries a snapshot out, once. Sent again by the same person it answers with what the first time did. */
export async function executeMessageSnapshot(
  ctx: Context,
  snapshotId: string,
  rawReason: string,
  verb?: MessageVerb,
): Promise<CarriedOutMessages> {
  const snapshot = await readSnapshot(ctx, snapshotId)
  authorise(ctx, `message.${snapshot.verb}`)
  if (verb !== undefined && verb !== snapshot.verb)
    throw new AppError('invalid', `The snapshot was made to ${snapshot.verb}, not to ${verb}.`)
  if (snapshot.createdBy !== personOf(ctx))
    throw new AppError('forbidden', 'A snapshot is carried out by who made it.')
  const reason = reasonSchema.parse(rawReason)
  if (snapshot.usedBy !== null) return repeated(ctx, snapshotId, snapshot.usedBy)
  if (snapshot.expiresAt <= ctx.clock.now())
    throw new AppError('conflict', 'The snapshot is older than 15 minutes: take another one and look again.')
  await assertWritesEnabled(ctx.db)
  const started = await takeSnapshot(ctx, snapshot, INLINE_MAX, async (tx) => {
    const params = { snapshotId, verb: snapshot.verb, reason, actor: ctx.actor }
    return runView(await startRunIn(tx, ctx, { kind: 'bulk', params }))
  })
  if (started === 'taken')
    return repeated(ctx, snapshotId, (await readSnapshot(ctx, snapshotId)).usedBy ?? '')
  if (started !== 'inline') return { kind: 'run', run: started }
  const items = await operateEach(snapshot.items, letterOf, (item) => operate(ctx, snapshot, item, reason))
  return { kind: 'inline', items }
}

/** The same as a run, as the person who asked for it. */
export async function runMessages(ctx: SystemContext, handle: RunHandle): Promise<RunResult> {
  const { snapshotId, reason, actor } = bulkParamsSchema.parse(handle.params)
  const snapshot = await readSnapshot(ctx, snapshotId)
  const context: Context = { ...ctx, actor, requestId: handle.id }
  return runItems(handle, snapshot.items, letterOf, (item) =>
    operate(context, snapshot, item, reason, handle.id),
  )
}

const letterOf = ({ letter }: Item): string => letter

const operate = (
  ctx: Context,
  { id: snapshotId, verb }: { id: string; verb: MessageVerb },
  { sourceId, place, version }: Item,
  reason: string,
  runId?: string,
) => operateMessage(ctx, verb, { sourceId, place, version, reason, runId, snapshotId })

async function readSnapshot({ db }: Pick<Context, 'db'>, id: string) {
  const row = await db.prisma.snapshot.findUnique({ where: { id } })
  const verb = z.enum(MESSAGE_ACTION_KINDS).safeParse(row?.verb)
  if (row === null || !verb.success)
    throw new AppError('not_found', `There is no snapshot of messages ${id.slice(0, 100)}.`)
  return { ...row, verb: verb.data, items: z.array(itemSchema).parse(row.items) }
}

async function repeated(ctx: Context, snapshotId: string, usedBy: string): Promise<CarriedOutMessages> {
  if (usedBy.startsWith('run_')) {
    return { kind: 'run', run: runView(await ctx.db.prisma.run.findUniqueOrThrow({ where: { id: usedBy } })) }
  }
  const rows = await ctx.db.prisma.action.findMany({
    where: { params: { path: ['snapshotId'], equals: snapshotId } },
    orderBy: { createdAt: 'asc' },
    take: INLINE_MAX,
  })
  return { kind: 'inline', items: rows.map((row) => toResult(row.key ?? '', actionView(row))) }
}

const personOf = ({ actor }: Context): string =>
  actor.kind === 'user' ? actor.userId : `system:${actor.job}`
