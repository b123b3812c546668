'use client'

import { type ReactNode, useState, useTransition } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { BULK_MAX } from '@/lib/core/bulk'
import { countText, plural } from '@/lib/core/format-figure'
import { classNames } from './class-names'
import type { AllMatching, Chosen } from './use-chosen'

type Props = {
  chosen: Chosen
  /** Rows of this page, and rows that match in all. */
  shown: number
  matching: number
  /** What a row is: "lock". */
  noun: string
  /** Names all that match, there and then. */
  selectAll: () => Promise<Attempted<AllMatching>>
  /** Why this person may not act. */
  refusal: string | null
  /** Said where more match than one action may touch. */
  limitNote: string
  /** The actions. */
  children: ReactNode
}

const LINK = 'font-medium hover:underline max-md:min-h-11'

/** How many are chosen, the second and explicit choice of all that match, and the way on. */
export function SelectionBar({
  chosen,
  shown,
  matching,
  noun,
  selectAll,
  refusal,
  limitNote,
  children,
}: Props) {
  const [pending, startTransition] = useTransition()
  const [fault, setFault] = useState<string | null>(null)
  const count = chosen.ids.length
  const chooseAll = () => {
    if (pending) return
    startTransition(async () => {
      const found = await selectAll().catch(() => null)
      if (found?.kind === 'done') chosen.selectAll(found.value)
      setFault(found === null ? 'The console did not answer.' : found.kind === 'done' ? null : found.why)
    })
  }
  return (
    <footer
      className={classNames(
        'flex min-h-13 flex-wrap items-center gap-x-4 gap-y-1 rounded-b-m bg-surface px-4 py-2.5',
        // What was chosen above can be acted on from there.
        count > 0 && 'sticky bottom-0 z-10 border-line border-t max-md:bottom-14',
      )}
    >
      <p role="status">
        <b className="font-semibold">{chosenText(chosen.allMatching, count, noun)}</b>
        {chosen.allMatching === null && (
          <span className="text-ink-2"> of {plural(shown, noun)}, this page</span>
        )}
      </p>
      {chosen.allMatching === null && count > 0 && count < matching && (
        <button type="button" onClick={chooseAll} className={`${LINK} text-accent-ink`}>
          {pending
            ? 'Selecting …'
            : matching > BULK_MAX
              ? `Select the oldest ${BULK_MAX} of ${countText(matching)} matching`
              : `Select all ${matching} matching`}
        </button>
      )}
      {count > 0 && (
        <button type="button" onClick={chosen.clear} className={`${LINK} text-ink-2`}>
          Clear
        </button>
      )}
      <div className="ml-auto flex flex-wrap gap-2">{children}</div>
      {chosen.allMatching?.more === true && <p className="w-full text-ink-2 text-s">{limitNote}</p>}
      {(fault ?? refusal) !== null && (
        <p className="w-full text-right text-ink-2 text-s">{fault ?? refusal}</p>
      )}
    </footer>
  )
}

function chosenText(allMatching: AllMatching | null, count: number, noun: string): string {
  if (allMatching === null) return `${count} selected`
  return allMatching.more
    ? `The oldest ${plural(count, noun)} selected`
    : `All ${plural(count, noun)} that matched selected`
}
