import { AppError, invariant } from '@/lib/core/errors'
import { toJsonObject } from '@/lib/core/json-value'
import { violatedUnique } from '@/lib/core/sql-state'
import { ACTION_STATES, type ActionState } from '@/lib/core/states'
import type { Tx } from '@/lib/db'
import { notify } from '@/lib/live-events'
import type { Action } from '@/prisma/generated/client'

export type ActionPatch = {
  result?: Record<string, unknown>
  evidence?: Record<string, unknown>
  evidenceHash?: string
  approverId?: string
  approvedAt?: Date
  expiresAt?: Date
  executedAt?: Date
  finishedAt?: Date
  runId?: string
}

/**
 * Moves an action to another state, only from one of `from`. `lost` = it was no longer in one of them: somebody else
 * moved it. Throws `conflict` when another correction of the same charge is in flight.
 */
export async function transition(
  tx: Tx,
  input: { id: string; from: readonly ActionState[]; to: ActionState; patch?: ActionPatch },
): Promise<Action | 'lost'> {
  for (const from of input.from) {
    invariant(
      (ACTION_STATES[from] as readonly ActionState[]).includes(input.to),
      `no way from ${from} to ${input.to}`,
    )
  }
  const { result, evidence, ...patch } = input.patch ?? {}
  try {
    const [row] = await tx.action.updateManyAndReturn({
      where: { id: input.id, state: { in: [...input.from] } },
      data: {
        ...patch,
        ...(result === undefined ? {} : { result: toJsonObject(result) }),
        ...(evidence === undefined ? {} : { evidence: toJsonObject(evidence) }),
        state: input.to,
        version: { increment: 1 },
      },
    })
    if (row === undefined) return 'lost'
    await notify(tx, { kind: 'action', id: row.id })
    return row
  } catch (cause) {
    throw inFlight(cause) ? oneInFlight(cause) : cause
  }
}

/** A person's decision on a proposal. Throws `conflict` when somebody else has decided first. */
export async function decide(tx: Tx, input: Parameters<typeof transition>[1]): Promise<Action> {
  const row = await transition(tx, input)
  if (row === 'lost') throw new AppError('conflict', 'Somebody else has decided on it already.')
  return row
}

export const inFlight = (error: unknown): boolean => violatedUnique(error) === 'action_one_in_flight'

export const oneInFlight = (cause: unknown): AppError =>
  new AppError('conflict', 'Another correction of this charge is being executed: wait for its result.', {
    meta: { reason: 'one_in_flight' },
    cause,
  })
