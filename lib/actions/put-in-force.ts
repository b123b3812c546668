import type { Tx } from '@/lib/db'
import type { Action } from '@/prisma/generated/client'
import { approvalExpiresAt } from './approval'
import { decide } from './transition'

/**
 * Approves what is carried out at once, in the transaction of its intent. Throws `conflict` when somebody else has decided first.
 */
export async function beginApproved(
  tx: Tx,
  id: string,
  { approverId, at }: { approverId: string; at: Date },
): Promise<Action> {
  const approval = { approverId, approvedAt: at, expiresAt: approvalExpiresAt(at) }
  await decide(tx, { id, from: ['proposed'], to: 'approved', patch: approval })
  return decide(tx, { id, from: ['approved'], to: 'executing', patch: { executedAt: at } })
}

/**
 * Approves a change of the console's own state, which is executed by being approved: the caller writes it in the same
 * transaction. Throws `conflict` when somebody else has decided first.
 */
export async function putInForce(
  tx: Tx,
  id: string,
  { approverId, at, result }: { approverId: string; at: Date; result: Record<string, unknown> },
): Promise<Action> {
  await beginApproved(tx, id, { approverId, at })
  return decide(tx, { id, from: ['executing'], to: 'done', patch: { finishedAt: at, result } })
}
