'use client'

import { type ReactNode, useEffect, useId, useRef, useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { newId } from '@/lib/core/ids'
import { ActionFooter, type ActionPhase } from './action-footer'
import { Dialog } from './dialog'
import { TextField } from './field'
import { fieldsOf } from './form-fields'
import { GuardedButton } from './guarded-button'
import { REASON_MIN, ReasonField } from './reason-field'
import { answered } from './use-verb'

export type ActionInput = { requestId: string; reason: string; fields: Record<string, string> }
export type Action<T = unknown> = (input: ActionInput) => Promise<Attempted<T>>

type DialogProps<T> = {
  title: string
  /** The consequence, in a line. */
  lead: ReactNode
  tone?: 'plain' | 'danger'
  wide?: boolean
  /** Verb, object, count, place. */
  confirm: string
  /** False while there is nothing that could be confirmed. */
  confirmable?: boolean
  withReason?: boolean
  /** Fewer characters will do where it can be undone at once. */
  reasonMin?: number
  /** What has to be typed, letter by letter, before it can be confirmed. */
  typed?: { label: string; expected: string } | null
  /** Seconds between the confirmation and the action, in which it can be aborted. */
  holdS?: number
  /** More fields of the form, by their names. */
  children?: ReactNode
  action: Action<T>
}

type Props<T> = DialogProps<T> & {
  /** What the button that opens it says, and how it looks. */
  opener: ReactNode
  openerLook?: 'primary' | 'plain' | 'danger' | 'quiet' | 'link'
  /** Why this person may not; the button stays visible and says so. */
  forbidden?: string | null
  /** It is open when the page comes: a link led here to do just this. */
  startsOpen?: boolean
  /** Gets what came of it, once the dialog is closed. */
  onDone?: (value: T) => void
}

/** One action of a person, with the friction its risk asks for. A double click, or a second try, is one action. */
export function ActionDialog<T>({ opener, openerLook = 'plain', forbidden = null, ...props }: Props<T>) {
  const { startsOpen = false, onDone, ...dialog } = props
  const [open, setOpen] = useState(false)
  useEffect(() => {
    if (startsOpen && forbidden === null) setOpen(true)
  }, [startsOpen, forbidden])
  return (
    <div className="max-w-full">
      <GuardedButton look={openerLook} forbidden={forbidden} onClick={() => setOpen(true)}>
        {opener}
      </GuardedButton>
      {open && (
        <OpenActionDialog
          {...dialog}
          close={() => setOpen(false)}
          onDone={(value) => {
            setOpen(false)
            onDone?.(value)
          }}
        />
      )}
    </div>
  )
}

type OpenProps<T> = DialogProps<T> & { close: () => void; onDone: (value: T) => void }

/** The dialog alone, where something else opens it and shows what came of it. */
export function OpenActionDialog<T>(props: OpenProps<T>) {
  const { title, lead, tone = 'plain', wide = false, confirm, children, action, close, onDone } = props
  const { confirmable = true, withReason = false, reasonMin = REASON_MIN, typed = null, holdS = 0 } = props
  const formId = useId()
  const [requestId] = useState(() => newId('req'))
  const form = useRef<HTMLFormElement>(null)
  const [reason, setReason] = useState('')
  const [typedText, setTypedText] = useState('')
  const [phase, setPhase] = useState<ActionPhase<ActionInput>>({ kind: 'editing' })
  const [problem, setProblem] = useState<string | null>(null)
  const [, startTransition] = useTransition()
  const ready =
    confirmable &&
    (!withReason || reason.trim().length >= reasonMin) &&
    (!typed || typedText.trim() === typed.expected)

  const send = (input: ActionInput) => {
    setPhase({ kind: 'sending' })
    startTransition(async () => {
      const attempted = await answered(action(input), NO_ANSWER)
      // It closes with the page that shows what was done: behind a closed dialog nobody acts on what was there before.
      if (attempted.kind === 'done') return startTransition(() => onDone(attempted.value))
      setPhase({ kind: 'editing' })
      setProblem(`${attempted.why} Nothing else was changed. Reference ${attempted.reference || requestId}.`)
    })
  }
  useHold(phase, setPhase, send)

  const submit = () => {
    if (!ready || phase.kind !== 'editing' || form.current === null) return
    setProblem(null)
    const input = { requestId, reason, fields: fieldsOf(form.current) }
    if (holdS > 0) setPhase({ kind: 'holding', leftS: holdS, input })
    else send(input)
  }

  return (
    <Dialog
      open
      onClose={close}
      title={title}
      lead={lead}
      tone={tone}
      wide={wide}
      footer={
        <ActionFooter
          {...{ phase, ready, tone, confirm, formId, close }}
          abort={() => {
            setPhase({ kind: 'editing' })
            setProblem('Aborted: nothing was sent.')
          }}
        />
      }
    >
      <form
        id={formId}
        ref={form}
        className="grid grid-cols-1 gap-4 [&>fieldset]:min-w-0"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        {children}
        {withReason && <ReasonField value={reason} onChange={setReason} min={reasonMin} />}
        {typed && (
          <TextField
            label={
              <>
                {typed.label}: type{' '}
                <code className="rounded-s bg-sunken px-1 font-mono">{typed.expected}</code>
              </>
            }
            value={typedText}
            onChange={(event) => setTypedText(event.target.value)}
          />
        )}
        <p role="alert" className="text-bad-ink empty:hidden">
          {problem}
        </p>
      </form>
    </Dialog>
  )
}

const NO_ANSWER = 'The console did not answer: nobody knows yet whether it was done. Trying again is safe.'

function useHold(
  phase: ActionPhase<ActionInput>,
  setPhase: (phase: ActionPhase<ActionInput>) => void,
  send: (input: ActionInput) => void,
) {
  const sending = useRef(send)
  sending.current = send
  useEffect(() => {
    if (phase.kind !== 'holding') return
    const timer = setTimeout(() => {
      if (phase.leftS > 1) setPhase({ ...phase, leftS: phase.leftS - 1 })
      else sending.current(phase.input)
    }, 1_000)
    return () => clearTimeout(timer)
  }, [phase, setPhase])
}
