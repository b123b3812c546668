import { z } from 'zod'
import type { ActionView } from '@/lib/actions/view'
import type { Names } from '@/lib/core/names'
import { ROLES } from '@/lib/core/permissions'
import { ProposedChange } from '../_decide/proposed-change'

const evidenceSchema = z.object({
  name: z.string(),
  email: z.string(),
  before: z.enum(ROLES),
  after: z.enum(ROLES),
})

type Props = { action: ActionView; people: Names; me: string; forbidden: string | null; place: string }

/** A higher role that waits for a second administrator. */
export function WaitingRaise({ place, ...about }: Props) {
  const parsed = evidenceSchema.safeParse(about.action.evidence)
  if (!parsed.success) return null
  const { name, email, before, after } = parsed.data
  return (
    <ProposedChange
      label={`Proposed role of ${name}`}
      what="higher role"
      {...about}
      facts={[
        { label: 'Who', value: `${name}, ${email}` },
        {
          label: 'Role',
          value: (
            <>
              <span className="text-ink-3">{before} → </span>
              {after}
            </>
          ),
        },
      ]}
      approval={{
        opener: 'Approve role',
        title: `Make ${name} ${after} in ${place}`,
        lead: 'Holds at once. You count as them from now on: you approve nothing of each other.',
        confirm: `Raise 1 role in ${place}`,
        typed: { label: 'Who', expected: name },
      }}
    />
  )
}
