'use client'

import { KeyRound, ShieldOff } from 'lucide-react'
import { plural } from '@/app/_ui/format-figure'
import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
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
        <div className="flex gap-2 border-bad-line border-b bg-bad-soft px-6 py-2 text-bad-ink max-md:px-4">
          <ShieldOff size={16} aria-hidden="true" className="mt-0.5 shrink-0" />
          <p>
            <strong className="font-semibold">Writes are off.</strong> Every change is refused but those that
            only stop something; reading works.
            {writesOff.by !== null && writesOff.at !== null && (
              <>
                {' '}
                Switched off by {writesOff.by} at <Time at={writesOff.at} />: {writesOff.reason}
              </>
            )}
          </p>
        </div>
      )}
      {next !== undefined && (
        <div className="flex gap-2 border-warn-line border-b bg-warn-soft px-6 py-2 text-warn-ink max-md:px-4">
          <KeyRound size={16} aria-hidden="true" className="mt-0.5 shrink-0" />
          <p>
            The token {next.name} ends <Time at={next.expiresAt} />
            {others.length > 0 && `, and ${plural(others.length, 'other')} within 14 days`}: make another in
            time.
          </p>
        </div>
      )}
      {connection === 'stale' && (
        <div className="flex gap-2 border-warn-line border-b bg-warn-soft px-6 py-2 text-warn-ink max-md:px-4">
          <StateMark standing="stale" size={16} className="mt-0.5" />
          <p>
            The console cannot read its data now. What you see is of <Time at={readAt} kind="seconds" />; it
            tries again every few seconds.
          </p>
        </div>
      )}
    </>
  )
}
