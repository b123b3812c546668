'use client'

import { type ReactNode, useState } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from './button'
import { fieldsOf } from './form-fields'
import { NotDoneNote } from './note'
import { ReasonField, reasonIsEnough } from './reason-field'
import { useVerb } from './use-verb'

type Props<T> = {
  /** Gets the texts of the fields by their names, and the reason. */
  verb: (fields: Record<string, string>, reason: string) => Promise<Attempted<T>>
  submit: string
  look?: 'primary' | 'plain'
  withReason?: boolean
  /** One line: the button stands beside the fields. */
  inline?: boolean
  /** What is shown once it was done. */
  done: (value: T) => ReactNode
  children: ReactNode
}

const NO_ANSWER = 'The console did not answer: look at the list before you try again.'

/** A form that stands on the page. It is empty again once it was done; what was refused stays to be mended. */
export function VerbForm<T>({
  verb,
  submit,
  look,
  withReason = false,
  inline = false,
  done,
  children,
}: Props<T>) {
  const [reason, setReason] = useState('')
  const { send, pending, answer, fault } = useVerb(
    async (form: HTMLFormElement) => {
      const answered = await verb(fieldsOf(form), reason)
      if (answered.kind === 'done') form.reset()
      return answered
    },
    { noAnswer: NO_ANSWER, onDone: () => setReason('') },
  )
  const button = (
    <Button
      type="submit"
      {...(look === undefined ? {} : { look })}
      {...(inline ? { className: 'h-9' } : {})}
      disabled={pending || (withReason && !reasonIsEnough(reason))}
    >
      {pending ? 'Working …' : submit}
    </Button>
  )
  return (
    <>
      <form
        method="post"
        className={inline ? 'flex flex-wrap items-end gap-2' : 'mt-3 grid gap-3'}
        onSubmit={(event) => {
          event.preventDefault()
          send(event.currentTarget)
        }}
      >
        {children}
        {withReason && <ReasonField value={reason} onChange={setReason} />}
        {inline ? button : <div className="flex justify-end">{button}</div>}
      </form>
      <div role="status" className="mt-2 empty:hidden">
        {fault !== null && <NotDoneNote fault={fault} />}
        {answer?.kind === 'done' && done(answer.value)}
      </div>
    </>
  )
}
