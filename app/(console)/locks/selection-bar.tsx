'use client'

import { useState, useTransition } from 'react'
import { Button } from '@/app/_ui/button'
import { BULK_MAX, type LockFilter } from '@/lib/core/lock-filter'
import { freezeMatching } from './act'
import type { Permit } from './read-locks'
import type { Frozen, useChosen } from './use-chosen'
import { locksText } from './words'

type Props = {
  chosen: ReturnType<typeof useChosen>
  /** Rows of this page, and rows that match in all. */
  shown: number
  matching: number
  filter: LockFilter
  permit: Permit
  onResolve: () => void
}

const LINK = 'font-medium hover:underline max-md:min-h-11'

/** How many are chosen, the second and explicit choice of all that match, and the way on. */
export function SelectionBar({ chosen, shown, matching, filter, permit, onResolve }: Props) {
  const [pending, startTransition] = useTransition()
  const [fault, setFault] = useState<string | null>(null)
  const count = chosen.ids.length
  const blocked = count === 0 || permit.refusal !== null
  const chooseAll = () => {
    if (pending) return
    startTransition(async () => {
      const found = await freezeMatching(filter).catch(() => null)
      if (found?.kind === 'done') chosen.freeze(found.value)
      setFault(found === null ? 'The console did not answer.' : found.kind === 'done' ? null : found.why)
    })
  }
  return (
    <footer className="flex min-h-13 flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
      <p role="status">
        <b className="font-semibold">{chosenText(chosen.frozen, count)}</b>
        {chosen.frozen === null && <span className="text-ink-2"> of {locksText(shown)}, this page</span>}
      </p>
      {chosen.frozen === null && count > 0 && count < matching && (
        <button type="button" onClick={chooseAll} className={`${LINK} text-accent-ink`}>
          {pending
            ? 'Freezing …'
            : matching > BULK_MAX
              ? `Select the oldest ${BULK_MAX} of ${matching.toLocaleString('en-US')} matching`
              : `Select all ${matching} matching`}
        </button>
      )}
      {count > 0 && (
        <button type="button" onClick={chosen.clear} className={`${LINK} text-ink-2`}>
          Clear
        </button>
      )}
      <Button
        className="ml-auto"
        look={blocked ? 'plain' : 'primary'}
        aria-disabled={blocked}
        title={permit.refusal ?? undefined}
        onClick={() => !blocked && onResolve()}
      >
        Resolve {count === 0 ? 'locks' : locksText(count)}…
      </Button>
      {chosen.frozen?.more === true && (
        <p className="w-full text-ink-2 text-s">
          More than {BULK_MAX} in one act would need a second person, which acts on locks do not have: the
          others stay untouched, for the next {BULK_MAX}.
        </p>
      )}
      {(fault ?? permit.refusal) !== null && (
        <p className="w-full text-right text-ink-2 text-s">{fault ?? permit.refusal}</p>
      )}
    </footer>
  )
}

function chosenText(frozen: Frozen | null, count: number): string {
  if (frozen === null) return `${count} selected`
  return frozen.more
    ? `The oldest ${locksText(count)} selected`
    : `All ${locksText(count)} that matched selected`
}
