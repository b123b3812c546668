'use server'

import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { reasonSchema } from '@/lib/core/reason'
import { propose } from '@/lib/reconcile/corrections/propose'
import { acknowledgeCase } from '@/lib/reconcile/triage/acknowledge'
import { assignCase } from '@/lib/reconcile/triage/assign'
import { closeCaseByHand } from '@/lib/reconcile/triage/close-by-hand'
import { commentCase } from '@/lib/reconcile/triage/comment'
import { snoozeCase } from '@/lib/reconcile/triage/snooze'
import { undoTriage } from '@/lib/reconcile/triage/undo-triage'
import { snoozeUntil } from '../../snooze-until'

const { once, actionOn } = dialogActions(['/reconciliation', 'layout'])

export const proposeFix = async (caseId: string, kind: string, { fields, ...input }: ActionInput) =>
  once('case.propose', input, (ctx) => {
    const { charge, entryId } = fields
    const params = { ...(charge ? { charge } : {}), ...(entryId ? { entryId } : {}) }
    // The verb parses the kind and everything else.
    return propose(ctx, { caseId, kind: kind as 'ignore', params, reason: input.reason })
  })

export const comment = actionOn('case.comment', (ctx, caseId, { fields: { text = '' } }) =>
  commentCase(ctx, { caseId, text }),
)

export const acknowledge = actionOn('case.acknowledge', (ctx, caseId) => acknowledgeCase(ctx, caseId))

export const assign = actionOn('case.assign', (ctx, caseId, { fields, reason }) =>
  assignCase(ctx, { caseId, ownerId: fields.owner ?? '', reason: reasonSchema.parse(reason) }),
)

export const undo = actionOn('case.undo', undoTriage)

export const snooze = actionOn('case.snooze', (ctx, caseId, { fields, reason }) =>
  snoozeCase(ctx, {
    caseId,
    until: snoozeUntil(fields, ctx.clock.now()),
    reason: reasonSchema.parse(reason),
  }),
)

export const closeByHand = actionOn('case.close', (ctx, caseId, { reason }) =>
  closeCaseByHand(ctx, { caseId, reason }),
)
