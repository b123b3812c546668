import { assertStillIn } from '@/lib/assert-still-in'
import type { Context } from '@/lib/context'
import { newId } from '@/lib/core/ids'
import { toJsonObject } from '@/lib/core/json-value'
import type { Money } from '@/lib/core/money'
import type { ALL_ACTION_KINDS } from '@/lib/core/states'
import type { Tx } from '@/lib/db'
import { notify } from '@/lib/live-events'
import type { Action } from '@/prisma/generated/client'
import { inFlight, oneInFlight } from './transition'

export type CreateAction = {
  id?: string
  kind: (typeof ALL_ACTION_KINDS)[number]
  /** `executing` commits the intent of an act that follows at once; `proposed` waits for another person. */
  state: 'proposed' | 'executing'
  reason: string
  sourceId?: string | undefined
  caseId?: string | undefined
  runId?: string | undefined
  scope?: string | undefined
  key?: string | undefined
  provider?: string | undefined
  charge?: string | undefined
  amount?: Money | undefined
  params?: Record<string, unknown>
  seen?: Record<string, unknown>
  evidence?: Record<string, unknown>
  evidenceHash?: string | undefined
  supersedesId?: string | undefined
}

/** Writes an action's row. The caller appends the audit entry in the same transaction. */
export async function createAction(
  tx: Tx,
  ctx: Pick<Context, 'actor' | 'clock' | 'requestId'>,
  input: CreateAction,
): Promise<Action> {
  if (input.state === 'proposed') await assertStillProposes(tx, ctx)
  const now = ctx.clock.now()
  try {
    const row = await tx.action.create({
      data: {
        id: input.id ?? newId('act'),
        kind: input.kind,
        state: input.state,
        reason: input.reason,
        sourceId: input.sourceId ?? null,
        caseId: input.caseId ?? null,
        runId: input.runId ?? null,
        scope: input.scope ?? null,
        key: input.key ?? null,
        provider: input.provider ?? null,
        charge: input.charge ?? null,
        amountMinor: input.amount?.minor ?? null,
        currency: input.amount?.currency ?? null,
        params: toJsonObject(input.params ?? {}),
        seen: toJsonObject(input.seen ?? {}),
        evidence: toJsonObject(input.evidence ?? {}),
        evidenceHash: input.evidenceHash ?? null,
        supersedesId: input.supersedesId ?? null,
        proposerId: ctx.actor.kind === 'user' ? ctx.actor.userId : null,
        requestId: ctx.requestId,
        createdAt: now,
        executedAt: input.state === 'executing' ? now : null,
      },
    })
    await notify(tx, { kind: 'action', id: row.id })
    return row
  } catch (cause) {
    throw inFlight(cause) ? oneInFlight(cause) : cause
  }
}

/** A proposal that is under way when its person takes the account over is waited for, and ended; later there is none. */
async function assertStillProposes(tx: Tx, { actor }: Pick<Context, 'actor'>): Promise<void> {
  if (actor.kind !== 'user') return
  await tx.$queryRaw`SELECT id FROM account WHERE user_id = ${actor.userId} FOR SHARE`
  await assertStillIn(tx, actor)
}
