'use client'

import { type ReactNode, useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Button } from '@/app/_ui/button'
import { NotDoneNote, Note } from '@/app/_ui/note'
import { ReasonField, reasonIsEnough } from '@/app/_ui/reason-field'
import { answered } from '@/app/_ui/use-verb'
import { KEY_ACTIONS, type KeyAction } from '@/lib/core/states'
import { type ActedOnLock, actOnLock, proposeFailure } from '../actions'
import { VERB, verdictLabels } from '../labels'
import type { LockRow, Permit } from '../read-locks'
import { ResolveDialog, type Selection } from '../resolve/resolve-dialog'
import { CopyCurl } from './copy-curl'
import { SeenAndNow } from './seen-and-now'

type Answer = { seen: LockRow; verb: Exclude<KeyAction, 'fail'>; attempted: Attempted<ActedOnLock> }

type Props = {
  lock: LockRow
  permit: Permit
  /** That it is failed, waiting for a second person. */
  proposal: ReactNode
  children: ReactNode
}

/** The verdict, the evidence (`children`), and the one action that the verdict stands for; others are behind a look. */
export function ActOnLock({ lock, permit, proposal, children }: Props) {
  const [answer, setAnswer] = useState<Answer | null>(null)
  const [selection, setSelection] = useState<Selection | null>(null)
  const words = verdictLabels(lock)
  const offered = lock.verdict === 'release' || lock.verdict === 'complete' ? lock.verdict : null
  const legal: readonly KeyAction[] = KEY_ACTIONS[lock.state]
  const done = answer?.attempted.kind === 'done' && answer.attempted.value.result.state === 'done'
  const ended = lock.goneAt !== null || done
  return (
    <div className="px-4 pt-3 pb-4">
      <Note tone={ended ? 'quiet' : words.tone} title={ended ? 'It has ended' : words.title}>
        {ended
          ? 'Nothing is held any more.'
          : offered === null
            ? lock.reason
            : `${lock.reason} ${VERB[offered].consequence}`}
      </Note>
      {children}
      {proposal}
      {answer !== null && <WhatBecame answer={answer} />}
      {!ended && offered !== null && (
        <ActForm key={lock.id} lock={lock} verb={offered} permit={permit} onAnswer={setAnswer} />
      )}
      {!ended && legal.length > 0 && (
        <div className="mt-3 border-line border-t pt-3">
          <p className="mb-2 text-ink-2 text-s">
            Otherwise, after a look at what the store and the provider say now:
          </p>
          <div className="flex flex-wrap gap-2">
            {legal
              .filter((verb) => verb !== 'fail')
              .filter((verb) => verb !== offered)
              .map((verb) => (
                <Button
                  key={verb}
                  aria-disabled={permit.refusal !== null}
                  title={permit.refusal ?? undefined}
                  onClick={() => {
                    if (permit.refusal !== null) return
                    setSelection({ filter: { ids: [lock.id] }, what: '1 lock', verb })
                  }}
                >
                  {VERB[verb].name}…
                </Button>
              ))}
            {legal.includes('fail') && proposal === null && (
              <ActionDialog
                opener="Propose to fail…"
                forbidden={permit.refusal}
                tone="danger"
                title={`Propose to fail 1 key in ${permit.environment.toUpperCase()}`}
                lead={`${VERB.fail.consequence} Nothing is changed before a second person approves: store and provider are read again then.`}
                confirm="Propose 1 failure"
                withReason
                action={proposeFailure.bind(null, { id: lock.id, seen: lock.version })}
              />
            )}
          </div>
        </div>
      )}
      {permit.refusal !== null && !ended && <p className="mt-2 text-ink-2 text-s">{permit.refusal}</p>}
      <ResolveDialog
        selection={selection}
        environment={permit.environment}
        onClose={() => setSelection(null)}
      />
    </div>
  )
}

type FormProps = Pick<Props, 'lock' | 'permit'> & {
  verb: Exclude<KeyAction, 'fail'>
  onAnswer: (answer: Answer) => void
}

function ActForm({ lock, verb, permit, onAnswer }: FormProps) {
  const [reason, setReason] = useState('')
  // What is acted on is what was on the screen when the person began to write, not what came meanwhile.
  const [seen, setSeen] = useState<LockRow | null>(null)
  const [pending, startTransition] = useTransition()
  const changed = seen !== null && seen.version !== lock.version
  const blocked = pending || permit.refusal !== null || !reasonIsEnough(reason)
  const act = () => {
    if (blocked) return
    const asked = seen ?? lock
    startTransition(async () => {
      const input = { verb, id: asked.id, seen: asked.version, reason }
      onAnswer({ seen: asked, verb, attempted: await answered(actOnLock(input), NO_ANSWER) })
      setSeen(null)
    })
  }
  return (
    <form
      className="mt-4"
      onSubmit={(event) => {
        event.preventDefault()
        act()
      }}
    >
      <ReasonField value={reason} onChange={setReason} onBegin={() => setSeen((was) => was ?? lock)} />
      {changed && (
        <Note tone="warn" className="mt-2 flex items-center justify-between gap-2 text-s">
          It changed since you began. Look at the evidence again.
          <Button onClick={() => setSeen(lock)}>I have looked</Button>
        </Note>
      )}
      <div className="mt-2.5 flex flex-wrap items-center justify-end gap-2">
        <div className="mr-auto -ml-2">
          <CopyCurl verb={verb} id={lock.id} version={lock.version} reason={reason} />
        </div>
        <Button
          onClick={() => {
            setReason('')
            setSeen(null)
          }}
        >
          Cancel
        </Button>
        <Button
          type="submit"
          look={blocked && !pending ? 'plain' : 'primary'}
          aria-disabled={blocked}
          title={permit.refusal ?? undefined}
        >
          {pending
            ? 'Reading store and provider …'
            : `${VERB[verb].name} 1 key in ${permit.environment.toUpperCase()}`}
        </Button>
      </div>
      <p className="mt-2 text-ink-2 text-s">
        Refused if the token, the heartbeat or the provider’s answer changes first. Recorded in the audit.
      </p>
    </form>
  )
}

const NO_ANSWER =
  'The console did not answer. It is not known whether it was done: look at the fresh state, or press again, which does it at most once.'

function WhatBecame({ answer: { seen, verb, attempted } }: { answer: Answer }) {
  if (attempted.kind === 'not_done')
    return <NotDoneNote fault={attempted} title={`Not ${VERB[verb].done.toLowerCase()}`} className="mt-3" />
  const { result, fresh } = attempted.value
  if (result.state === 'done') {
    return (
      <Note tone="ok" role="status" className="mt-3">
        <b className="font-semibold">{VERB[verb].done}.</b>{' '}
        <span className="break-all font-mono text-s">{result.actionId}</span>
      </Note>
    )
  }
  const title =
    result.state === 'unknown' ? 'It is not known yet whether it was done' : 'Refused: nothing was changed'
  return (
    <Note tone="bad" role="alert" className="mt-3" title={title}>
      {result.text ??
        'The connection to the store broke over the write. It is settled by reading the store again.'}
      <SeenAndNow seen={seen} now={fresh} />
    </Note>
  )
}
