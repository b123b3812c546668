'use client'

import { KeyRound, ShieldOff } from 'lucide-react'
import type { ReactNode } from 'react'
import { classNames } from '@/app/_ui/class-names'
import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import { useConnection } from './live'

export type WritesOff = { by: string | null; at: string | null; reason: string | null }

export type EndingToken = { name: string; expiresAt: string }

type Props = {
  writesOff: WritesOff | null
  /** Tokens that end soon, the next one first. */
  ending: readonly EndingToken[]
  readAt: string
}

/** What concerns the whole page stands above it: writes are off; a token ends; what is shown is not current. */
export function Notices({ writesOff, ending: [next, ...others], readAt }: Props) {
  const connection = useConnection()
  return (
    <>
      {writesOff !== null && (
        <Notice tone="bad" icon={<ShieldOff size={16} aria-hidden="true" />}>
          <strong className="font-semibold">Writes are off.</strong> Every change is refused but those that
          only stop something; reading works.
          {writesOff.by !== null && writesOff.at !== null && (
            <>
              {' '}
              Switched off by {writesOff.by} at <Time at={writesOff.at} />: {writesOff.reason}
            </>
          )}
        </Notice>
      )}
      {next !== undefined && (
        <Notice tone="warn" icon={<KeyRound size={16} aria-hidden="true" />}>
          The token {next.name} ends <Time at={next.expiresAt} />
          {others.length > 0 && `, and ${plural(others.length, 'other')} within 14 days`}: make another in
          time.
        </Notice>
      )}
      {connection === 'stale' && (
        <Notice tone="warn" icon={<StateMark standing="stale" size={16} />}>
          The console cannot read its data now. What you see is of <Time at={readAt} kind="seconds" />; it
          tries again every few seconds.
        </Notice>
      )}
    </>
  )
}

const LOOK = {
  bad: 'border-bad-line bg-bad-soft text-bad-ink',
  warn: 'border-warn-line bg-warn-soft text-warn-ink',
} as const

function Notice(props: { tone: keyof typeof LOOK; icon: ReactNode; children: ReactNode }) {
  return (
    <div className={classNames('flex gap-2 border-b px-6 py-2 max-md:px-4', LOOK[props.tone])}>
      <span className="mt-0.5 shrink-0">{props.icon}</span>
      <p>{props.children}</p>
    </div>
  )
}
