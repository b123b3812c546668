import {
  CircleCheck,
  CircleHelp,
  CircleX,
  Hourglass,
  LockKeyhole,
  type LucideIcon,
  RotateCcw,
  TimerOff,
} from 'lucide-react'
import type { KeyState } from '@/lib/core/states'
import { Badge, type BadgeTone } from './badge'
import { KEY_STATE_LABEL } from './key-state-label'

type Look = { tone: BadgeTone; icon: LucideIcon; says: string }

/** A state that is added to the table has to be given its words here. */
export const KEY_STATE: Record<KeyState, Look> = {
  leased: { tone: 'accent', icon: LockKeyhole, says: 'A live holder works on it.' },
  lease_expired: {
    tone: 'warn',
    icon: TimerOff,
    says: 'Its holder has not renewed its lease: nobody works on it any more.',
  },
  retryable: {
    tone: 'plain',
    icon: RotateCcw,
    says: 'Nobody holds it: the next retry runs it again.',
  },
  unknown: {
    tone: 'bad',
    icon: CircleHelp,
    says: 'An effect was begun and nobody knows its end: retries are refused until it is settled.',
  },
  completed: {
    tone: 'ok',
    icon: CircleCheck,
    says: 'Retries are answered with its response.',
  },
  failed_final: {
    tone: 'plain',
    icon: CircleX,
    says: 'It ended as a failure; retries are answered with it.',
  },
  expired: {
    tone: 'plain',
    icon: Hourglass,
    says: 'Its retention has passed: a retry would execute again.',
  },
}

export function KeyStateBadge({ state }: { state: KeyState }) {
  const { tone, icon: Icon, says } = KEY_STATE[state]
  return (
    <Badge tone={tone} title={says}>
      <Icon size={12} aria-hidden="true" /> {KEY_STATE_LABEL[state]}
    </Badge>
  )
}
