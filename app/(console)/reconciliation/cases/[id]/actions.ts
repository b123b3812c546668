'use server'

import { z } from 'zod'
import { actionsShownOn } from '@/app/_server/actions-shown-on'
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

const once = actionsShownOn(['/reconciliation', 'layout'])

const id = z.string().max(64)

export const proposeFix = async (caseId: string, kind: string, input: ActionInput) =>
  once('case.propose', input, (ctx) => {
    const { charge, entryId } = input.fields
    const params = { ...(charge ? { charge } : {}), ...(entryId ? { entryId } : {}) }
    // The verb parses the kind and everything else.
    return propose(ctx, { caseId: id.parse(caseId), kind: kind as 'ignore', params, reason: input.reason })
  })

export const comment = async (caseId: string, input: ActionInput) =>
  once('case.comment', input, (ctx) =>
    commentCase(ctx, { caseId: id.parse(caseId), text: input.fields.text ?? '' }),
  )

export const acknowledge = async (caseId: string, input: ActionInput) =>
  once('case.acknowledge', input, (ctx) => acknowledgeCase(ctx, id.parse(caseId)))

export const assign = async (caseId: string, input: ActionInput) =>
  once('case.assign', input, (ctx) =>
    assignCase(ctx, {
      caseId: id.parse(caseId),
      ownerId: input.fields.owner ?? '',
      reason: reasonSchema.parse(input.reason),
    }),
  )

export const undo = async (caseId: string, input: ActionInput) =>
  once('case.undo', input, (ctx) => undoTriage(ctx, id.parse(caseId)))

export const snooze = async (caseId: string, input: ActionInput) =>
  once('case.snooze', input, (ctx) =>
    snoozeCase(ctx, {
      caseId: id.parse(caseId),
      until: snoozeUntil(input.fields, ctx.clock.now()),
      reason: reasonSchema.parse(input.reason),
    }),
  )

export const closeByHand = async (caseId: string, input: ActionInput) =>
  once('case.close', input, (ctx) => closeCaseByHand(ctx, { caseId: id.parse(caseId), reason: input.reason }))
