import { z } from 'zod'
import { holdTargetSchema, holdText } from '@/lib/core/hold-target'
import { formatMoney } from '@/lib/core/money'
import type { ActionState, ALL_ACTION_KINDS } from '@/lib/core/states'
import type { ActionView } from './view'

const KIND_LABEL: Record<(typeof ALL_ACTION_KINDS)[number], string> = {
  retention_policy: 'Change of a retention policy',
  reconciliation_rules: 'Change of what reconciliation tolerates',
  condition_terms: 'Change of what fires',
  role_raise: 'Raise of a role',
  hold: 'Hold on new executions',
  lift_hold: 'Lift of a hold',
  redrive: 'Redrive of a message',
  discard: 'Discard of a message',
  release: 'Release of a lock',
  complete: 'Completion of a key',
  fail: 'Final failure of a key',
  refund: 'Refund',
  book_ledger: 'Booking of a charge',
  book_refund: 'Booking of a refund',
  book_dispute: 'Booking of a dispute',
  book_fee: 'Booking of a fee',
  reverse_ledger: 'Reversal of a booking',
  adopt: 'Adoption of a charge',
  refresh: 'Fresh look at a case',
  ignore: 'Case ignored',
}

const STATE_LABEL: Record<ActionState, string> = {
  proposed: 'Waiting for approval',
  approved: 'Approved',
  executing: 'Executing',
  unknown: 'Outcome unknown',
  done: 'Completed',
  refused: 'Refused',
  failed: 'Failed',
  rejected: 'Rejected',
  expired: 'Approval expired',
}

/** Refund of €89.90; Hold on new executions of POST /v1/payments. */
export function actionText({ kind, amount, params }: Pick<ActionView, 'kind' | 'amount' | 'params'>): string {
  const held = kind === 'hold' ? heldBy.safeParse(params) : undefined
  const of = amount === null ? '' : ` of ${formatMoney(amount)}`
  return `${KIND_LABEL[kind as keyof typeof KIND_LABEL]}${of}${held?.success ? ` of ${holdText(held.data.target)}` : ''}`
}

const heldBy = z.object({ target: holdTargetSchema })

export const actionState = ({ state }: ActionView): string => STATE_LABEL[state as ActionState]
