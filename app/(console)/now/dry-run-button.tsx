'use client'

import { useId, useState, useTransition } from 'react'
import { Button } from '@/app/_ui/button'
import { type DryRunStarted, startDryRun } from './start-dry-run'

type Props = { from: string; to: string; forbidden: string | null }

/** Reads the sources and counts what does not agree; nothing is changed anywhere. */
export function DryRunButton({ from, to, forbidden }: Props) {
  const id = useId()
  const [pending, startTransition] = useTransition()
  const [result, setResult] = useState<DryRunStarted | null>(null)
  const start = () => {
    if (pending || forbidden !== null) return
    startTransition(async () => {
      const started = await startDryRun({ from, to }).catch(
        (): DryRunStarted => ({ kind: 'refused', why: 'The console did not answer. Nothing was started.' }),
      )
      setResult(started)
    })
  }
  const note =
    forbidden ??
    (result === null
      ? 'Compares this range, changes nothing'
      : result.kind === 'started'
        ? 'Started: see In flight and recent'
        : result.why)
  return (
    <div className="relative shrink-0">
      <Button
        onClick={start}
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
          result === null && forbidden === null
            ? 'sr-only'
            : 'mt-1 max-w-64 text-ink-3 text-xs lg:absolute lg:top-full lg:right-0 lg:max-w-none lg:whitespace-nowrap'
        }
      >
        {note}
      </p>
    </div>
  )
}
