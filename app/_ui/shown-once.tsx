import type { ReactNode } from 'react'
import { CopyButton } from './copy-button'
import { Note } from './note'

type Props = { lead: string; secret: string; copyLabel: string; children?: ReactNode }

/** A secret that is not shown again: it is shown here, now. */
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
