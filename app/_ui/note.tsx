import type { ReactNode } from 'react'
import type { NotDone } from '@/app/_server/attempt'
import { classNames } from './class-names'

const LOOK = {
  ok: 'bg-ok-soft text-ok-ink',
  warn: 'bg-warn-soft text-warn-ink',
  bad: 'bg-bad-soft text-bad-ink',
  quiet: 'bg-sunken text-ink-2',
} as const
export type NoteTone = keyof typeof LOOK

/** What has to be known before one goes on. */
export function Note(props: {
  tone: NoteTone
  role?: 'alert' | 'status'
  className?: string | undefined
  title?: ReactNode
  children?: ReactNode
}) {
  const { tone, role, className, title, children } = props
  return (
    <div role={role} className={classNames('rounded-m px-3 py-2.5', LOOK[tone], className)}>
      {title !== undefined && <p className="font-semibold">{title}</p>}
      {title === undefined ? children : <div className="mt-0.5 text-s">{children}</div>}
    </div>
  )
}

type NotDoneProps = { fault: NotDone; title?: string | undefined; className?: string | undefined }

/** It was not done: why, and under what the server logged it. */
export function NotDoneNote({ fault: { why, reference }, ...look }: NotDoneProps) {
  return (
    <Note tone="bad" role="alert" {...look}>
      {why}
      {reference !== '' && ` Reference ${reference}.`}
    </Note>
  )
}
