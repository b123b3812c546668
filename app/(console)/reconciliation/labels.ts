import type { BadgeTone } from '@/app/_ui/badge'
import type { ActionState, CaseTriage } from '@/lib/core/states'

// A state without words breaks the build.

export const TRIAGE: Record<CaseTriage, string> = {
  open: 'unreviewed',
  acknowledged: 'acknowledged',
  assigned: 'assigned',
  snoozed: 'snoozed',
}

export const ACTION_STATE: Record<ActionState, { text: string; tone: BadgeTone }> = {
  proposed: { text: 'Waiting for approval', tone: 'warn' },
  approved: { text: 'Approved', tone: 'accent' },
  executing: { text: 'Executing', tone: 'accent' },
  unknown: { text: 'Outcome unknown, being read back', tone: 'warn' },
  done: { text: 'Done', tone: 'ok' },
  refused: { text: 'Refused, nothing was done', tone: 'bad' },
  failed: { text: 'Failed', tone: 'bad' },
  rejected: { text: 'Rejected', tone: 'plain' },
  expired: { text: 'Approval expired', tone: 'plain' },
}
