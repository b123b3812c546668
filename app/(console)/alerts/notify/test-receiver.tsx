'use client'

import { CodeBox } from '@/app/_ui/code-box'
import { GuardedButton } from '@/app/_ui/guarded-button'
import { NotDoneNote, Note } from '@/app/_ui/note'
import { useVerb } from '@/app/_ui/use-verb'
import { newId } from '@/lib/core/ids'
import { sendTest, type TestAnswer } from '../actions'

type Props = { id: string; name: string; forbidden: string | null }

/** Sends a real message and shows what really came back. */
export function TestReceiver({ id, name, forbidden }: Props) {
  const { send, pending, answer, fault } = useVerb(sendTest, {
    noAnswer: 'The console did not answer: nobody knows yet whether it was sent.',
  })
  return (
    <div className="mt-1">
      <GuardedButton
        forbidden={forbidden}
        aria-disabled={pending}
        aria-label={`Test notification to ${name}`}
        onClick={() => send(id, newId('req'))}
      >
        {pending ? 'Sending …' : 'Test notification'}
      </GuardedButton>
      <div role="status" className="mt-2 empty:hidden">
        {fault !== null && <NotDoneNote fault={fault} />}
        {answer?.kind === 'done' && <Answer {...answer.value} />}
      </div>
    </div>
  )
}

function Answer({ kind, status, body, error, accepted, durationMs }: TestAnswer) {
  const said =
    status === null ? (kind === 'refused' ? 'It was not sent' : 'No answer') : `It answered ${status}`
  const more = status !== null && status >= 300 && status < 400 ? '; redirects are not followed' : ''
  return (
    <Note tone={accepted ? 'ok' : 'bad'} title={`${said} after ${durationMs} ms${more}.`}>
      {error !== null && <p className="break-words">{error}</p>}
      {body !== null && body !== '' && <CodeBox className="mt-1 max-h-40">{body}</CodeBox>}
    </Note>
  )
}
