import {
  CircleAlert,
  CircleCheck,
  CircleHelp,
  CircleSlash,
  Hourglass,
  type LucideIcon,
  Minus,
} from 'lucide-react'
import { classNames } from '@/app/_ui/class-names'
import { shortId } from '@/app/_ui/identifier'
import type { LockVerdict } from '@/lib/core/states'
import type { LockView } from '@/lib/locks/list-locks'
import { providerSays, TONE_INK, verdictLabels } from './labels'

const VERDICT_ICON: Record<LockVerdict, LucideIcon> = {
  release: CircleCheck,
  complete: CircleCheck,
  wait: Hourglass,
  investigate: CircleHelp,
}

const ANSWER_ICON: Record<LockView['providerAnswer']['kind'], LucideIcon> = {
  not_asked: Minus,
  no_provider: Minus,
  none: CircleSlash,
  found: CircleAlert,
  possible: CircleAlert,
  not_settled: Hourglass,
  unreachable: CircleHelp,
}

export function VerdictMark({ lock }: { lock: LockView }) {
  const Icon = VERDICT_ICON[lock.verdict]
  const { row, tone } = verdictLabels(lock)
  return (
    <span className={classNames('flex items-center gap-1.5 font-medium', TONE_INK[tone])}>
      <Icon size={14} aria-hidden="true" className="shrink-0" /> {row}
    </span>
  )
}

export function ProviderMark({ answer }: { answer: LockView['providerAnswer'] }) {
  const Icon = ANSWER_ICON[answer.kind]
  const { id, text, tone } = providerSays(answer)
  return (
    <span
      className={classNames('flex items-center gap-1.5', TONE_INK[tone], tone !== 'quiet' && 'font-medium')}
    >
      <Icon size={14} aria-hidden="true" className="shrink-0" />
      <span className="min-w-0">
        {id !== undefined && (
          <span className="block truncate font-mono text-s" title={id}>
            {shortId(id, 7, 3)}
          </span>
        )}
        <span className={classNames('block truncate', id !== undefined && 'text-s')}>{text}</span>
      </span>
    </span>
  )
}
