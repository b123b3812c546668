import { z } from 'zod'
import { whyWordIsGone } from '@/lib/actions/approval'
import type { ActionResult, Steps } from '@/lib/actions/execute'
import { writesOff } from '@/lib/actions/kill-switch'
import type { Context } from '@/lib/context'
import {
  type LedgerSource,
  type ProviderRefund,
  type ProviderSource,
  SourceUnavailableError,
} from '@/lib/sources/contracts'
import { sqlState } from '@/lib/sources/postgres-pool'
import type { Action } from '@/prisma/generated/client'
import { whyNotBookable } from '../posting-kind'
import type { Gathered } from './gather'
import { approvedCharges, readLiveMoney, whatChanged } from './live-money'

type NextStep = Awaited<ReturnType<Steps<ActionResult>['readAgain']>>

const minor = z.string().transform(BigInt)
export const stepSchema = z.object({
  step: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('refund'), chargeId: z.string(), amountMinor: minor }),
    z.object({
      kind: z.literal('ledger'),
      correction: z.object({
        kind: z.enum(['book_charge', 'book_refund', 'book_dispute', 'book_fee', 'reverse']),
        entryId: z.string().nullable(),
        providerRef: z.string(),
        chargeRef: z.string().nullable(),
        paymentIntent: z.string().nullable(),
        reference: z.string().nullable(),
        amountMinor: minor,
        currency: z.string(),
      }),
    }),
  ]),
})

/** What a correction brings to the protocol: the money read again, and the one call to the provider or the ledger. */
export const correctionSteps = (
  ctx: Pick<Context, 'db' | 'clock'>,
  action: Action,
  gathered: Gathered,
): Steps<ActionResult> => ({
  async readAgain() {
    const next = await readAgain(ctx, action, gathered)
    if (!('call' in next)) return next
    const why = await noteRequest(ctx, action)
    return why === null ? next : stopped(why)
  },
  whenOff: ({ message }) => stopped(message),
})

async function readAgain(
  ctx: Pick<Context, 'db' | 'clock'>,
  action: Action,
  gathered: Gathered,
): Promise<NextStep> {
  const { step } = stepSchema.parse(action.params)
  if (step.kind === 'refund') {
    const open = gathered.sources.providers.find(({ id }) => id === action.sourceId)
    return open === undefined ? gone : refund(ctx, open.source, action, step, gathered)
  }
  const open = gathered.sources.ledgers.find(({ id }) => id === action.sourceId)
  return open === undefined ? gone : book(open.source, action, step.correction)
}

/** Why it may not be sent now; null = it may. */
export async function whyStopped(
  ctx: Pick<Context, 'db'>,
  action: Pick<Action, 'id'>,
): Promise<string | null> {
  return (await writesOff(ctx.db))?.message ?? whyEnded(ctx, action)
}

/**
 * The last thing before a request: what it may make counts as absent so long after this, however long reading took before.
 * Why it may not be sent, all the same; null = it may.
 */
async function noteRequest(
  ctx: Pick<Context, 'db' | 'clock'>,
  { id }: Pick<Action, 'id'>,
): Promise<string | null> {
  const why = await whyEnded(ctx, { id })
  if (why !== null) return why
  const { count } = await ctx.db.prisma.action.updateMany({
    where: { id, state: { in: ['executing', 'unknown'] } },
    data: { executedAt: ctx.clock.now() },
  })
  return count === 1 ? null : 'The action was ended meanwhile.'
}

/**
 * A process that was paused before the call may find that its action was settled meanwhile as not carried out, and that
 * another one has taken its place; what a lost answer left is sent again minutes after it was approved.
 */
async function whyEnded({ db }: Pick<Context, 'db'>, { id }: Pick<Action, 'id'>): Promise<string | null> {
  const action = await db.prisma.action.findUniqueOrThrow({ where: { id } })
  if (action.state !== 'executing' && action.state !== 'unknown')
    return `The action is ${action.state} already.`
  return whyWordIsGone(db, action)
}

/** SQLSTATEs of an exception that was raised, of data or a constraint: the same call will never be carried out. */
const SAID_NO = /^(P0|22|23)/

const gone: ActionResult = {
  state: 'refused',
  result: { reason: 'source_gone', text: 'The source is switched off.' },
}
const stopped = (text: string): ActionResult => ({
  state: 'refused',
  result: { reason: 'kill_switch', text },
})

const unreachable: ActionResult = { state: 'refused', result: { reason: 'provider_unreachable' } }
const moneyChanged = (what: string): ActionResult => ({
  state: 'refused',
  result: { reason: 'money_changed', text: `Since it was approved, ${what}. Nothing was done.` },
})

/**
 * What changed of the other charges that the approval rests on, such as the one that is kept: a bank that claims it now
 * may mean the same money. null = nothing.
 */
async function changedBeside(
  providers: Gathered['sources']['providers'],
  { evidence }: Action,
  chargeId: string,
): Promise<ActionResult | null> {
  for (const { source, charge } of approvedCharges(evidence)) {
    if (charge === chargeId) continue
    const open = providers.find(({ id }) => id === source)
    const live = open === undefined ? null : await readLiveMoney(open.source, charge)
    if (live === null) return unreachable
    const changed = whatChanged(live, evidence, ['succeeded', 'pending'])
    if (changed !== null) return moneyChanged(changed)
  }
  return null
}

async function refund(
  ctx: Pick<Context, 'db' | 'clock'>,
  source: ProviderSource,
  action: Action,
  step: { chargeId: string; amountMinor: bigint },
  { finding, sources }: Gathered,
): Promise<NextStep> {
  // Last of all what is refunded: support may refund at the provider's dashboard while this one is decided.
  const beside = await changedBeside(sources.providers, action, step.chargeId)
  const live = await readLiveMoney(source, step.chargeId)
  if (live === null) return unreachable
  const ours = madeBy(action, live.refunds)
  if (ours !== undefined) return outcomeOf(ours)
  if (beside !== null) return beside
  const changed = whatChanged(live, action.evidence)
  if (changed !== null) return moneyChanged(changed)
  const { charge } = live
  const leftMinor = charge.capturedMinor - charge.refundedMinor
  if (step.amountMinor > leftMinor) {
    return { state: 'refused', result: { reason: 'refund_cap', leftMinor: leftMinor.toString() } }
  }
  const reference = finding?.subject.reference ?? null
  return {
    call: () =>
      sendRefund(source, action, {
        idempotencyKey: action.id,
        chargeId: step.chargeId,
        amountMinor: step.amountMinor,
        currency: charge.currency,
        tags: { scope: null, key: null, step: null, reference, actionId: action.id },
        stopped: async () => (await writesOff(ctx.db))?.message ?? noteRequest(ctx, action),
      }),
  }
}

async function sendRefund(
  source: ProviderSource,
  action: Action,
  refund: Parameters<ProviderSource['createRefund']>[0],
): Promise<ActionResult> {
  const outcome = await source.createRefund(refund)
  switch (outcome.kind) {
    case 'done':
      return outcomeOf(outcome.refund)
    case 'stopped':
      return stopped(outcome.message)
    case 'refused':
      return { state: 'failed', result: { code: outcome.code, text: outcome.message } }
    case 'unknown':
      return readAfterError(source, action, refund.chargeId, outcome)
    default:
      return outcome satisfies never
  }
}

/** What an action made at the provider: its id is in the refund's metadata. */
export const madeBy = (action: Pick<Action, 'id'>, refunds: readonly ProviderRefund[]) =>
  refunds.find(({ actionId }) => actionId === action.id)

export const outcomeOf = ({ id, status }: Pick<ProviderRefund, 'id' | 'status'>) => ({
  state: status === 'failed' || status === 'canceled' ? ('failed' as const) : ('done' as const),
  result: { refund: id, status },
})

/** Read, not repeated: the provider may have carried it out, and may go on answering with the error that it keeps. */
async function readAfterError(
  source: ProviderSource,
  action: Action,
  chargeId: string,
  { message, replayed }: { message: string; replayed: boolean },
): Promise<ActionResult> {
  const refunds = await source.refundsOfCharge(chargeId).catch((error: unknown) => {
    if (error instanceof SourceUnavailableError) return null
    throw error
  })
  if (refunds === null) return { state: 'unknown', result: { text: message } }
  const made = madeBy(action, refunds)
  if (made !== undefined) {
    const { state, result } = outcomeOf(made)
    return { state, result: { ...result, settledBy: 'reading', text: message } }
  }
  if (!replayed) return { state: 'unknown', result: { text: message } }
  // An earlier request ended with this error, and it made nothing: the same id will never be carried out.
  const text = `The provider keeps answering with the error of an earlier request, and has no such refund: ${message}`
  return { state: 'failed', result: { reason: 'error_replayed', text } }
}

type Correction = Omit<Parameters<LedgerSource['correct']>[0], 'actionId'>

function book(source: LedgerSource, action: Action, correction: Correction): NextStep {
  // The mapping may have changed since it was proposed.
  const unfit = whyNotBookable(source, correction.kind)
  if (unfit !== null) return { state: 'refused', result: { reason: 'kind_not_mapped', text: unfit } }
  return { call: () => sendBooking(source, action, correction) }
}

async function sendBooking(
  source: LedgerSource,
  action: Action,
  correction: Correction,
): Promise<ActionResult> {
  try {
    const { applied, entryId } = await source.correct({ actionId: action.id, ...correction })
    return { state: 'done', result: { applied, entryId } }
  } catch (error) {
    // The function raised an error, such as for a kind that it does not know: its database rolled everything back.
    if (error instanceof SourceUnavailableError && SAID_NO.test(sqlState(error) ?? '')) {
      return { state: 'failed', result: { reason: 'function_refused', text: error.message } }
    }
    // Whatever else went wrong, the service may have done it: reading decides.
    return { state: 'unknown', result: { text: error instanceof Error ? error.message : String(error) } }
  }
}
