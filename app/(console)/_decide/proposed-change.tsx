import type { ReactNode } from 'react'
import { Badge } from '@/app/_ui/badge'
import { type Fact, Facts } from '@/app/_ui/facts'
import { Time } from '@/app/_ui/time'
import type { Names } from '@/lib/core/names'
import { Decision, type DecisionProps } from './decision'

type Props = Omit<DecisionProps, 'leads' | 'children'> & {
  label: string
  people: Names
  facts: readonly Fact[]
  /** What it would do to what is there now. */
  preview?: ReactNode
}

const LEADS = {
  withdraw: 'What is in force stays as it is. You can propose again.',
  reject: 'What is in force stays as it is.',
}

/** A proposed change of what is in force: what it changes, who asked and why, and who may decide. */
export function ProposedChange({ label, people, facts, preview, ...decision }: Props) {
  const { action, me } = decision
  const proposer = action.proposer === me ? 'you' : (people.get(action.proposer ?? '') ?? 'the system')
  return (
    <section aria-label={label} className="border-line border-b px-4 pb-3">
      <p className="flex flex-wrap items-center justify-between gap-2 pt-1">
        <Badge tone="warn">Waiting for approval</Badge>
        <span className="text-ink-3 text-s">
          proposed by {proposer}, <Time at={action.createdAt} kind="ago" />
        </span>
      </p>
      <Facts facts={facts} />
      {preview !== undefined && <div className="mb-2 text-ink-2">{preview}</div>}
      <p className="mb-2 text-ink-2">“{action.reason}”</p>
      <Decision {...decision} leads={LEADS}>
        <Facts facts={facts} />
        {preview}
      </Decision>
    </section>
  )
}

/** Before → after. */
export const Changed = ({ before, after }: { before: string; after: string }) => (
  <>
    <span className="text-ink-3">{before} → </span>
    {after}
  </>
)
