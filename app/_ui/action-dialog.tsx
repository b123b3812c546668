'use client'

import { type ReactNode, useEffect, useId, useRef, useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { newId } from '@/lib/core/ids'
import { ActionFooter, type ActionPhase } from './action-footer'
import { Dialog } from './dialog'
import { TextField } from './field'
import { fieldsOf } from './form-fields'
import { GuardedButton } from './guarded-button'
import { ReasonField, reasonIsEnough } from './reason-field'
import { answered } from './use-verb'

export type ActionInput = { requestId: string; reason: string; fields: Record<string, string> }
export type Action = (input: ActionInput) => Promise<Attempted<unknown>>

type Props = {
  /** What the button that opens it says, and how it looks. */
  opener: ReactNode
  openerLook?: 'primary' | 'plain' | 'danger' | 'quiet' | 'link'
  /** Why this person may not; the button stays visible and says so. */
  forbidden?: string | null
  title: string
  /** The consequence, in a line. */
  lead: ReactNode
  tone?: 'plain' | 'danger'
  /** Verb, object, count, place. */
  confirm: string
  withReason?: boolean
  /** What has to be typed, letter by letter, before it can be confirmed. */
  typed?: { label: string; expected: string } | null
  /** Seconds between the confirmation and the action, in which it can be aborted. */
  holdS?: number
  /** It is open when the page comes: a link led here to do just this. */
  startsOpen?: boolean
  /** More fields of the form, by their names. */
  children?: ReactNode
  action: Action
}

/** One action of a person, with the friction its risk asks for. A double click, or a second try, is one action. */
export function ActionDialog(props: Props) {
  const { opener, openerLook = 'plain', forbidden = null, startsOpen = false } = props
  const [open, setOpen] = useState(false)
  const [requestId, setRequestId] = useState('')
  useEffect(() => {
    if (!startsOpen || forbidden !== null) return
    setRequestId(newId('req'))
    setOpen(true)
  }, [startsOpen, forbidden])
  return (
    <div className="max-w-full">
      <GuardedButton
        look={openerLook}
        forbidden={forbidden}
        onClick={() => {
          setRequestId(newId('req'))
          setOpen(true)
        }}
      >
        {opener}
      </GuardedButton>
      {open && <OpenDialog key={requestId} {...props} requestId={requestId} close={() => setOpen(false)} />}
    </div>
  )
}

function OpenDialog(props: Props & { requestId: string; close: () => void }) {
  const { title, lead, tone = 'plain', confirm, children, action, requestId, close } = props
  const { withReason = false, typed = null, holdS = 0 } = props
  const formId = useId()
  const form = useRef<HTMLFormElement>(null)
  const [reason, setReason] = useState('')
  const [typedText, setTypedText] = useState('')
  const [phase, setPhase] = useState<ActionPhase<ActionInput>>({ kind: 'editing' })
  const [problem, setProblem] = useState<string | null>(null)
  const [, startTransition] = useTransition()
  const ready = (!withReason || reasonIsEnough(reason)) && (!typed || typedText.trim() === typed.expected)

  const send = (input: ActionInput) => {
    setPhase({ kind: 'sending' })
    startTransition(async () => {
      const attempted = await answered(action(input), NO_ANSWER)
      if (attempted.kind === 'done') return close()
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
        {withReason && <ReasonField value={reason} onChange={setReason} />}
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
