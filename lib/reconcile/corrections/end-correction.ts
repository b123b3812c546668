import { endProposal } from '@/lib/actions/end-proposal'
import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import type { Action } from '@/prisma/generated/client'
import { noteOnCase } from './case-note'

/** A correction that nothing came of, which its case's history tells too. */
export function endCorrection(
  ctx: Context,
  { id, kind, caseId }: Action,
  { outcome, reason }: { outcome: 'rejected' | 'withdrawn'; reason: string },
): Promise<ActionView> {
  return endProposal(ctx, id, {
    outcome,
    verb: `correction.${kind}`,
    reason,
    note: async (tx) => {
      if (caseId !== null) await noteOnCase(tx, ctx, caseId, outcome, { actionId: id, reason })
    },
  })
}
