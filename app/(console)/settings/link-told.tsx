'use client'

import type { Attempted } from '@/app/_server/attempt'
import { Time } from '@/app/_ui/time'
import type { Link } from './act'
import { ToldOnce } from './told-once'

/** An invitation's link. The person who has it sets the account's password. */
export function LinkTold({ answer }: { answer: Attempted<Link> | null }) {
  return (
    <ToldOnce
      answer={answer}
      lead={({ email }) => `Link for ${email}: hand it to them alone, it is not shown again.`}
      secretOf={({ url }) => url}
      copyLabel="Copy link"
      note={({ expiresAt, note }) => (
        <p>
          It works once, until <Time at={expiresAt} />. {note}
        </p>
      )}
    />
  )
}
