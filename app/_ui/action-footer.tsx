'use client'

import { Button } from './button'

export type ActionPhase<Input> =
  | { kind: 'editing' }
  | { kind: 'holding'; leftS: number; input: Input }
  | { kind: 'sending' }

/** Cancel and confirm; while it is held back, the way to abort it. */
export function ActionFooter(props: {
  phase: ActionPhase<unknown>
  ready: boolean
  tone: 'plain' | 'danger'
  confirm: string
  formId: string
  close: () => void
  abort: () => void
}) {
  const { phase, ready, tone, confirm, formId, close, abort } = props
  if (phase.kind === 'holding') {
    return (
      <>
        <p role="status" className="mr-auto text-ink-2">
          Sent in {phase.leftS} s. Nothing has happened yet.
        </p>
        {/* A button of its own: were the confirming one reused, this click would end as a submit of the form. */}
        <Button
          key="abort"
          look="danger"
          onClick={(event) => {
            event.preventDefault()
            abort()
          }}
        >
          Abort
        </Button>
      </>
    )
  }
  const sending = phase.kind === 'sending'
  return (
    <>
      {sending && (
        <p role="status" className="mr-auto text-ink-2">
          Working …
        </p>
      )}
      <Button data-autofocus onClick={close}>
        {sending ? 'Close' : 'Cancel'}
      </Button>
      <Button
        key="confirm"
        type="submit"
        form={formId}
        look={tone === 'danger' ? 'danger' : 'primary'}
        disabled={!ready || sending}
      >
        {/* Its words stay: were it narrower while it works, the second click of a double one would meet Cancel. */}
        {confirm}
      </Button>
    </>
  )
}
