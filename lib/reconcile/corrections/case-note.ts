import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { toJsonObject } from '@/lib/core/json-value'
import type { Tx } from '@/lib/db'

/** A line in the case's history, in the transaction of what it tells. */
export async function noteOnCase(
  tx: Tx,
  ctx: Pick<Context, 'actor' | 'clock'>,
  caseId: string,
  kind: string,
  data: Record<string, unknown>,
): Promise<void> {
  await tx.caseEvent.create({
    data: { caseId, at: ctx.clock.now(), kind, actor: actorLabel(ctx.actor), data: toJsonObject(data) },
  })
}
