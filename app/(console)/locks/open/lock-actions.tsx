'use client'

import { type ReactNode, useState } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Button } from '@/app/_ui/button'
import { GuardedButton } from '@/app/_ui/guarded-button'
import { NotDoneNote, Note } from '@/app/_ui/note'
import { useNow } from '@/app/_ui/now-clock'
import { ReasonField, reasonIsEnough } from '@/app/_ui/reason-field'
import { type Column, Table } from '@/app/_ui/table'
import { useVerb } from '@/app/_ui/use-verb'
import { KEY_ACTIONS, type KeyAction } from '@/lib/core/states'
import { type OperatedLock, operateLock, proposeFailure } from '../actions'
import { consequenceOf, providerSays, type StoreRules, VERB, verdictLabels } from '../labels'
import type { LockRow, Permit } from '../read-locks'
import { ResolveDialog, type Selection } from '../resolve/resolve-dialog'
import { CopyCurl } from './copy-curl'

type Asked = { seen: LockRow; verb: Exclude<KeyAction, 'fail'>; reason: string }

type Props = {
  lock: LockRow
  rules: StoreRules
  permit: Permit
  /** That it is failed, waiting for a second person. */
  proposal: ReactNode
  children: ReactNode
}

/** The verdict, the evidence (`children`), and the one action that the verdict stands for; others are behind a look. */
export function LockActions({ lock, rules, permit, proposal, children }: Props) {
  const [asked, setAsked] = useState<Asked | null>(null)
  const [selection, setSelection] = useState<Selection | null>(null)
  const { send, pending, answer, forget } = useVerb(operateLock, { noAnswer: NO_ANSWER })
  const words = verdictLabels(lock, useNow())
  const offered = lock.verdict === 'release' || lock.verdict === 'complete' ? lock.verdict : null
  const legal = KEY_ACTIONS[lock.state].filter((verb) => rules.verbs.includes(verb))
  const ended = lock.goneAt !== null || (answer?.kind === 'done' && answer.value.result.state === 'done')
  const ask = (wanted: Asked) => {
    const { seen, verb, reason } = wanted
    setAsked(wanted)
    forget()
    send({ verb, id: seen.id, seen: seen.version, reason })
  }
  return (
    <div className="px-4 pt-3 pb-4">
      <Note tone={ended ? 'quiet' : words.tone} title={ended ? 'It has ended' : words.title}>
        {ended
          ? 'Nothing is held any more.'
          : offered === null
            ? lock.reason
            : `${lock.reason} ${consequenceOf(offered, rules)}`}
      </Note>
      {!ended && legal.length > 0 && rules.zombie !== null && (
        <Note tone="warn" className="mt-2 text-s" title="What its store cannot prevent">
          {rules.zombie}
        </Note>
      )}
      {children}
      {proposal}
      {answer !== null && asked !== null && <Answer asked={asked} answer={answer} />}
      {!ended && offered !== null && (
        <OfferedAction key={lock.id} {...{ lock, permit, pending, ask }} verb={offered} />
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
                <GuardedButton
                  key={verb}
                  forbidden={permit.refusal}
                  onClick={() => setSelection({ filter: { ids: [lock.id] }, what: '1 lock', verb })}
                >
                  {VERB[verb].name}…
                </GuardedButton>
              ))}
            {legal.includes('fail') && proposal === null && (
              <ActionDialog
                opener="Propose to fail…"
                forbidden={permit.refusal}
                tone="danger"
                title={`Propose to fail 1 key in ${permit.place}`}
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
      {selection !== null && (
        <ResolveDialog selection={selection} place={permit.place} onClose={() => setSelection(null)} />
      )}
    </div>
  )
}

const NO_ANSWER =
  'The console did not answer. It is not known whether it was done: look at the fresh state, or press again, which does it at most once.'

type OfferedProps = Pick<Props, 'lock' | 'permit'> & {
  verb: Asked['verb']
  pending: boolean
  ask: (asked: Asked) => void
}

function OfferedAction({ lock, verb, permit, pending, ask }: OfferedProps) {
  const [reason, setReason] = useState('')
  // What is acted on is what was on the screen when the person began to write, not what came meanwhile.
  const [seen, setSeen] = useState<LockRow | null>(null)
  const changed = seen !== null && seen.version !== lock.version
  const blocked = pending || permit.refusal !== null || !reasonIsEnough(reason)
  return (
    <form
      className="mt-4"
      onSubmit={(event) => {
        event.preventDefault()
        if (blocked) return
        ask({ seen: seen ?? lock, verb, reason })
        setSeen(null)
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
          {pending ? 'Reading store and provider …' : `${VERB[verb].name} 1 key in ${permit.place}`}
        </Button>
      </div>
      <p className="mt-2 text-ink-2 text-s">
        Refused if its record or the provider’s answer changes first. Recorded in the audit.
      </p>
    </form>
  )
}

function Answer({ asked: { seen, verb }, answer }: { asked: Asked; answer: Attempted<OperatedLock> }) {
  if (answer.kind === 'not_done')
    return <NotDoneNote fault={answer} title={`Not ${VERB[verb].done.toLowerCase()}`} className="mt-3" />
  const { result, fresh } = answer.value
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

type Seen = Pick<LockRow, 'state' | 'fence' | 'holder' | 'heartbeatAt' | 'providerAnswer'>

const LINES: { name: string; of: (lock: Seen) => string }[] = [
  { name: 'State', of: ({ state }) => state.replaceAll('_', ' ') },
  { name: 'Fencing token', of: ({ fence }) => fence },
  { name: 'Holder', of: ({ holder }) => holder },
  { name: 'Heartbeat', of: ({ heartbeatAt }) => heartbeatAt.slice(11, 23) },
  {
    name: 'Provider',
    of: ({ providerAnswer }) => {
      const { id, text } = providerSays(providerAnswer)
      return id === undefined ? text : `${id} ${text}`
    },
  },
]

/** A stale version: what the person looked at beside what it is now. */
function SeenAndNow({ seen, now }: { seen: Seen; now: Seen | null }) {
  if (now === null) return <p className="mt-1 text-s">It is gone.</p>
  const columns: Column<(typeof LINES)[number]>[] = [
    { head: 'Field', shown: null, names: true, width: 'w-24', cell: ({ name }) => name },
    { head: 'You saw', className: 'break-words', cell: ({ of }) => of(seen) },
    {
      head: 'Now',
      className: ({ of }) => (of(seen) === of(now) ? 'break-words text-ink-2' : 'break-words font-semibold'),
      cell: ({ of }) => (of(seen) === of(now) ? 'the same' : of(now)),
    },
  ]
  return (
    <Table
      columns={columns}
      rows={LINES}
      id={({ name }) => name}
      lines={1}
      className="mt-2 table-fixed text-ink text-s"
    />
  )
}
