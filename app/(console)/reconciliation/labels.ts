import type { BadgeTone } from '@/app/_ui/badge'
import type { ActionState, CaseTriage } from '@/lib/core/states'

// A state without words breaks the build.

export const TRIAGE: Record<CaseTriage, string> = {
  open: 'unreviewed',
  acknowledged: 'acknowledged',
  assigned: 'assigned',
  snoozed: 'snoozed',
}

export const ACTION_TONE: Record<ActionState, BadgeTone> = {
  proposed: 'warn',
  approved: 'accent',
  executing: 'accent',
  unknown: 'warn',
  done: 'ok',
  refused: 'bad',
  failed: 'bad',
  rejected: 'plain',
  expired: 'plain',
}
