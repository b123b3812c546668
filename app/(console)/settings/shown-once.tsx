'use client'

import type { ReactNode } from 'react'
import { CopyButton } from '@/app/_ui/copy-button'
import { Note } from '@/app/_ui/note'
import { Time } from '@/app/_ui/time'
import type { Link } from './actions'

type Props = { lead: string; secret: string; copyLabel: string; children?: ReactNode }

/** A secret that is kept nowhere: it is shown here, now. */
export function ShownOnce({ lead, secret, copyLabel, children }: Props) {
  return (
    <Note tone="ok" title={lead}>
      <p className="flex flex-wrap items-center gap-2">
        <code className="break-all font-mono">{secret}</code>
        <CopyButton text={secret} label={copyLabel} />
      </p>
      {children}
    </Note>
  )
}

/** An invitation's link. The person who has it sets the account's password. */
export const ShownLink = ({ email, url, expiresAt, note }: Link) => (
  <ShownOnce
    lead={`Link for ${email}: hand it to them alone, it is not shown again.`}
    secret={url}
    copyLabel="Copy link"
  >
    <p>
      It works once, until <Time at={expiresAt} />. {note}
    </p>
  </ShownOnce>
)
