'use client'

import { useId } from 'react'
import { Button } from '@/app/_ui/button'
import { useVerb } from '@/app/_ui/use-verb'
import { startDryRun } from './start-dry-run'

type Props = { from: string; to: string; forbidden: string | null }

/** Reads the sources and counts what does not agree; nothing is changed anywhere. */
export function DryRunButton({ from, to, forbidden }: Props) {
  const id = useId()
  const { send, pending, answer, fault } = useVerb(startDryRun, {
    noAnswer: 'The console did not answer. Nothing was started.',
  })
  const note =
    forbidden ??
    fault?.why ??
    (answer === null ? 'Compares this range, changes nothing' : 'Started: see In flight and recent')
  return (
    <div className="relative shrink-0">
      <Button
        onClick={() => forbidden === null && send({ from, to })}
        aria-disabled={pending || forbidden !== null}
        aria-describedby={id}
        title={note}
      >
        {pending ? 'Starting …' : 'Dry-run reconciliation'}
      </Button>
      <p
        id={id}
        role="status"
        className={
          answer === null && forbidden === null
            ? 'sr-only'
            : 'mt-1 max-w-64 text-ink-3 text-xs lg:absolute lg:top-full lg:right-0 lg:max-w-none lg:whitespace-nowrap'
        }
      >
        {note}
      </p>
    </div>
  )
}
