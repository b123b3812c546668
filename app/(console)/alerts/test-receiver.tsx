'use client'

import { useId, useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { Button } from '@/app/_ui/button'
import { newId } from '@/lib/core/ids'
import { sendTest, type TestAnswer } from './act'

type Props = { id: string; name: string; forbidden: string | null }

/** Sends a real message and shows what really came back. */
export function TestReceiver({ id, name, forbidden }: Props) {
  const noteId = useId()
  const [answer, setAnswer] = useState<Attempted<TestAnswer> | null>(null)
  const [pending, startTransition] = useTransition()
  const send = () => {
    if (forbidden !== null || pending) return
    startTransition(async () => {
      setAnswer(
        await sendTest(id, newId('req')).catch(
          (): Attempted<TestAnswer> => ({
            kind: 'not_done',
            code: 'unavailable',
            why: 'The console did not answer: nobody knows yet whether it was sent.',
            reference: 'none',
          }),
        ),
      )
    })
  }
  return (
    <div className="mt-1">
      <Button
        aria-disabled={forbidden !== null || pending}
        aria-describedby={forbidden === null ? undefined : noteId}
        aria-label={`Test notification to ${name}`}
        title={forbidden ?? undefined}
        onClick={send}
      >
        {pending ? 'Sending …' : 'Test notification'}
      </Button>
      {forbidden !== null && (
        <span id={noteId} className="sr-only">
          {forbidden}
        </span>
      )}
      <div role="status" className="mt-2 empty:hidden">
        {answer?.kind === 'not_done' && (
          <p className="text-bad-ink">
            {answer.why} Reference {answer.reference}.
          </p>
        )}
        {answer?.kind === 'done' && <Answer {...answer.value} />}
      </div>
    </div>
  )
}

function Answer({ kind, status, body, error, durationMs }: TestAnswer) {
  const good = status !== null && status >= 200 && status < 300
  const said =
    status === null ? (kind === 'refused' ? 'It was not sent' : 'No answer') : `It answered ${status}`
  const more = status !== null && status >= 300 && status < 400 ? '; redirects are not followed' : ''
  return (
    <div
      className={
        good ? 'rounded-m bg-ok-soft px-3 py-2 text-ok-ink' : 'rounded-m bg-bad-soft px-3 py-2 text-bad-ink'
      }
    >
      <p className="font-medium">
        {said} after {durationMs} ms{more}.
      </p>
      {error !== null && <p className="break-words">{error}</p>}
      {body !== null && body !== '' && (
        <pre className="mt-1 max-h-40 overflow-auto whitespace-pre-wrap break-all font-mono text-s">
          {body}
        </pre>
      )}
    </div>
  )
}
