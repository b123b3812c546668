import { randomInt } from 'node:crypto'
import { append } from '@/lib/audit/append'
import type { Context, SystemContext } from '@/lib/context'
import type { AuditInput } from '@/lib/core/audit-entry'
import { AppError } from '@/lib/core/errors'
import type { ActionState } from '@/lib/core/states'
import type { Tx } from '@/lib/db'
import type { Action, Prisma } from '@/prisma/generated/client'
import { writesOff } from './kill-switch'
import { transition } from './transition'
import { type ActionView, actionView } from './view'

/*
 * How anything outside the console is changed, whatever the verb:
 *
 *   commitIntent   the action is `executing`, with its audit entry, in one transaction
 *   execute        evidence is read again → kill switch → the one call, outside any transaction → the result, only if
 *                  the action is still `executing`
 *   settle         an end that nobody heard (`unknown`, or `executing` by a process that died) is found by reading
 */

/** How an execution ended. `unknown` = the answer to its call was lost. */
export type ActionResult = {
  state: 'done' | 'refused' | 'failed' | 'unknown'
  result: Record<string, unknown>
}

/** What every entry about an action has in common. */
export type Recorded = {
  /** As the audit log names it. */
  verb: string
  /** Written in the transaction of a result. */
  note?:
    | ((tx: Tx, ended: { state: ActionState; result: Record<string, unknown> }) => Promise<void>)
    | undefined
}

export type Intent =
  | { kind: 'ours'; action: Action; audit: Pick<AuditInput, 'outcome' | 'reason' | 'after'> }
  /** Nothing is left to do: it is the same request once more, or another process has taken the action. */
  | { kind: 'taken'; action: Action }

/** Commits what is about to be done, with its audit entry. `begin` makes the action `executing`. */
export function commitIntent(
  ctx: Context,
  verb: string,
  begin: (tx: Tx) => Promise<Intent>,
): Promise<Intent> {
  return ctx.db.prisma.$transaction(async (tx) => {
    const intent = await begin(tx)
    if (intent.kind === 'ours') await append(tx, ctx, { verb, subject: intent.action.id, ...intent.audit })
    return intent
  })
}

export type Steps<Ended extends ActionResult> = {
  /**
   * Reads again what the action rests on, and whether its people still may: how it ended without a call, or the call.
   * An error thrown here says that nothing was changed.
   */
  readAgain(): Promise<Ended | Call<Ended>>
} & (
  | {
      /** How it ends when writes were switched off meanwhile; it may throw `off` instead. */
      whenOff(off: AppError): Ended
    }
  /** It only contains: it goes on while writes are off. */
  | { contains: true }
)
/** Whatever goes wrong after it was sent is `unknown`. If it throws all the same, the action stays `executing`. */
type Call<Ended> = { call: () => Promise<Ended> }

/** Carries out a committed intent, and commits its result with its audit entry. */
export async function execute<Ended extends ActionResult>(
  ctx: Context,
  { id, verb, note, ...steps }: Recorded & Steps<Ended> & { id: string },
): Promise<{ action: ActionView; ended: Ended }> {
  const end = (result: ActionResult) => endAction(ctx, { id, verb, note, from: ['executing'], ...result })
  const next = await prepare(ctx, steps).catch(async (error: unknown) => {
    const text =
      error instanceof AppError ? error.message : 'Reading the evidence failed; nothing was changed.'
    await end({ state: 'failed', result: { error: text } })
    throw error
  })
  const ended = 'call' in next ? await next.call() : next
  return { ended, action: actionView((await end(ended)).action) }
}

/** Reads again, looks at the kill switch and calls: also for what is sent again under the same id. */
export async function callOnce<Ended extends ActionResult>(
  ctx: Pick<Context, 'db'>,
  steps: Steps<Ended>,
): Promise<Ended> {
  const next = await prepare(ctx, steps)
  return 'call' in next ? next.call() : next
}

/** The kill switch comes last: nothing happens between it and the call. */
async function prepare<Ended extends ActionResult>(
  { db }: Pick<Context, 'db'>,
  steps: Steps<Ended>,
): Promise<Ended | Call<Ended>> {
  const next = await steps.readAgain()
  if (!('call' in next) || 'contains' in steps) return next
  const off = await writesOff(db)
  return off === null ? next : steps.whenOff(off)
}

type End = Recorded & {
  id: string
  from: readonly ActionState[]
  state: ActionState
  result: Record<string, unknown>
  /** What only the audit log adds to the result. */
  audited?: Record<string, unknown>
}

/** Ends an action with its audit entry, unless it was ended meanwhile: that end stands then, and is returned. */
export async function endAction(
  ctx: Pick<Context, 'db' | 'clock' | 'actor' | 'requestId'>,
  { id, verb, note, from, state, result, audited }: End,
): Promise<{ action: Action; isOurs: boolean }> {
  return ctx.db.prisma.$transaction(async (tx) => {
    const patch = { result, ...(state === 'unknown' ? {} : { finishedAt: ctx.clock.now() }) }
    const action = await transition(tx, { id, from, to: state, patch })
    if (action === 'lost')
      return { action: await tx.action.findUniqueOrThrow({ where: { id } }), isOurs: false }
    await note?.(tx, { state, result })
    await append(tx, ctx, { verb, subject: id, outcome: state, after: { ...result, ...audited } })
    return { action, isOurs: true }
  })
}

const BATCH_ACTIONS = 50
const DUE_ACTIONS_MAX = 1_000

export type Settled = { state: 'done' | 'failed'; result: Record<string, unknown> }

export type Settling = {
  job: string
  where: Prisma.ActionWhereInput
  /** What was done can be read this long after its call. */
  readableAfterMs: number
  /** Who still executes is younger: longer than every call may take. */
  abandonedAfterMs: number
  recorded: (ctx: Context, action: Action) => Recorded
  /** How it ended; null = that cannot be told yet. */
  read: (ctx: Context, action: Action) => Promise<Settled | null>
  whenSettled?: (ctx: Context, action: Action) => Promise<void>
}

/** Settles by reading. One that cannot be settled yet does not hold up the others; the next run asks again. */
export async function settle(
  ctx: SystemContext,
  { job, where, readableAfterMs, abandonedAfterMs, ...parts }: Settling,
): Promise<{ settled: number; open: number }> {
  const now = ctx.clock.now().getTime()
  const due = await ctx.db.prisma.action.findMany({
    where: {
      ...where,
      OR: [
        { state: 'unknown', executedAt: { lt: new Date(now - readableAfterMs) } },
        { state: 'executing', executedAt: { lt: new Date(now - abandonedAfterMs) } },
      ],
    },
    orderBy: { executedAt: 'asc' },
    take: DUE_ACTIONS_MAX,
  })
  const actions = due.length <= BATCH_ACTIONS ? due : someOf(due, BATCH_ACTIONS)
  let settled = 0
  for (const action of actions) {
    const requestId = action.requestId ?? action.id
    try {
      if (await settleOne({ ...ctx, actor: { kind: 'system', job }, requestId }, action, parts)) settled += 1
    } catch (error) {
      ctx.log.warn({ err: error, actionId: action.id }, 'an action could not be settled yet')
    }
  }
  return { settled, open: actions.length - settled }
}

/** Not the first ones each time: a source that was switched off for good would keep the others from being read. */
function someOf<T>(all: readonly T[], count: number): T[] {
  const left = [...all]
  return Array.from({ length: count }, () => left.splice(randomInt(left.length), 1)).flat()
}

async function settleOne(
  ctx: Context,
  action: Action,
  { recorded, read, whenSettled }: Pick<Settling, 'recorded' | 'read' | 'whenSettled'>,
): Promise<boolean> {
  const found = await read(ctx, action)
  if (found === null) return false
  const { action: ended, isOurs } = await endAction(ctx, {
    id: action.id,
    ...recorded(ctx, action),
    from: ['executing', 'unknown'],
    ...found,
    audited: { settledBy: 'reading' },
  })
  if (isOurs) await whenSettled?.(ctx, ended)
  return isOurs
}
