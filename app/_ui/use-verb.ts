'use client'

import { useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'

/** A server that does not answer is an answer too: nobody knows then whether it was done. */
export const answered = <T>(
  asked: Promise<Attempted<T>>,
  noAnswer = 'The console did not answer.',
): Promise<Attempted<T>> =>
  asked.catch(() => ({ kind: 'not_done', code: 'unavailable', why: noAnswer, reference: '' }))

/**
 * The way from a control to a verb: sends once while it is pending, and keeps what became of it. `onDone` gets the
 * value before it is shown; `noAnswer` says what holds when the server does not answer.
 */
export function useVerb<Given extends unknown[], T>(
  verb: (...given: Given) => Promise<Attempted<T>>,
  { onDone, noAnswer }: { onDone?: (value: T) => void; noAnswer?: string } = {},
) {
  const [pending, startTransition] = useTransition()
  const [answer, setAnswer] = useState<Attempted<T> | null>(null)
  const send = (...given: Given) => {
    if (pending) return
    startTransition(async () => {
      const found = await answered(verb(...given), noAnswer)
      if (found.kind === 'done') onDone?.(found.value)
      setAnswer(found)
    })
  }
  const fault = answer?.kind === 'not_done' ? answer : null
  return { send, pending, answer, fault, forget: () => setAnswer(null) }
}
