'use client'

import { plural } from '@/lib/core/format-figure'
import { FormPreview } from '../../_decide/form-preview'
import { lookAtTerms, type TermsChange } from './actions'

/** How often the form's terms would have fired. */
export const TermsPreview = () => (
  <FormPreview
    title="The last 7 days"
    hint="How often it would have fired. Nothing is changed."
    look={lookAtTerms}
  >
    {(changes) => <TermsChanges changes={changes} />}
  </FormPreview>
)

const times = (count: number): string => (count === 0 ? 'not once' : plural(count, 'time'))

/** Of a rate what would have been; of all others what was, since what they are measured by is not kept. */
export function TermsChanges({ changes }: { changes: readonly TermsChange[] }) {
  if (changes.length === 0) return <p>Nothing is different.</p>
  return (
    <>
      {changes.map(({ kind, when, before, after }) => (
        <p key={JSON.stringify([kind, when])}>
          {after === null
            ? `Fired ${times(before)}. How often it would have is not known: what it is measured by is not kept.`
            : `Would have fired ${times(after)}; by the terms in force ${times(before)}.`}
        </p>
      ))}
    </>
  )
}
