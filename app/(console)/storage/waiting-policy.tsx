import { z } from 'zod'
import { ActDialog } from '@/app/_ui/act-dialog'
import { Badge } from '@/app/_ui/badge'
import { Facts } from '@/app/_ui/facts'
import { durationText } from '@/app/_ui/format-time'
import { Time } from '@/app/_ui/time'
import type { ActionView } from '@/lib/actions/view'
import { approve, reject, withdraw } from '../_decide/act'

const terms = z.object({ ttlMs: z.number().nullable(), safetyMs: z.number(), archive: z.boolean() })
const evidenceSchema = z.object({
  before: terms.nullable(),
  after: terms.extend({ source: z.string(), tier: z.string(), endpoint: z.string() }),
})

type Props = {
  action: ActionView
  names: ReadonlyMap<string, string>
  people: ReadonlyMap<string, string>
  me: string
  forbidden: { decide: string | null }
  place: string
}

/** A proposed policy: what it would change, who asked and why, and who may decide. */
export function WaitingPolicy({ action, names, people, me, forbidden, place }: Props) {
  const parsed = evidenceSchema.safeParse(action.evidence)
  if (!parsed.success) return null
  const { before, after } = parsed.data
  const mine = action.proposer === me
  const what = after.endpoint || after.tier || 'all'
  const facts = [
    { label: 'For', value: `${what} of ${names.get(after.source) ?? after.source}` },
    { label: 'TTL', value: change(before && ttlText(before.ttlMs), ttlText(after.ttlMs)) },
    {
      label: 'Safety buffer',
      value: change(before && durationText(before.safetyMs), durationText(after.safetyMs)),
    },
    { label: 'Archive', value: change(before && yesNo(before.archive), yesNo(after.archive)) },
  ]
  return (
    <section aria-label={`Proposed policy for ${what}`} className="border-line border-b px-4 pb-3">
      <p className="flex flex-wrap items-center justify-between gap-2 pt-1">
        <Badge tone="warn">Waiting for approval</Badge>
        <span className="text-ink-3 text-s">
          {mine ? 'proposed by you' : `proposed by ${people.get(action.proposer ?? '') ?? 'the system'}`},{' '}
          <Time at={action.createdAt} kind="age" /> ago
        </span>
      </p>
      <Facts facts={facts} />
      <p className="mb-2 text-ink-2">“{action.reason}”</p>
      <div className="flex flex-wrap justify-end gap-2">
        {mine ? (
          <ActDialog
            opener="Withdraw"
            title="Withdraw the proposed policy"
            lead="What is in force stays as it is. You can propose again."
            confirm="Withdraw 1 proposal"
            withReason
            act={withdraw.bind(null, action.id)}
          />
        ) : (
          <ActDialog
            opener="Reject"
            forbidden={forbidden.decide}
            title="Reject the proposed policy"
            lead="What is in force stays as it is."
            confirm="Reject 1 proposal"
            withReason
            act={reject.bind(null, action.id)}
          />
        )}
        <ActDialog
          opener="Approve policy"
          openerLook="primary"
          forbidden={mine ? 'You proposed this: somebody else has to approve it' : forbidden.decide}
          title={`Approve the policy for ${what} in ${place}`}
          lead="In force at once: the next collection keeps to it, and what it drops is gone for good."
          tone="danger"
          confirm={`Approve 1 policy in ${place}`}
          typed={{ label: 'How many', expected: '1' }}
          holdS={10}
          act={approve.bind(null, action.id, action.evidenceHash ?? '')}
        >
          <Facts facts={facts} />
        </ActDialog>
      </div>
    </section>
  )
}

const ttlText = (ttlMs: number | null): string => (ttlMs === null ? 'the store’s own' : durationText(ttlMs))
const yesNo = (archive: boolean): string => (archive ? 'first' : 'no')

/** Before → after; what stays is said once. */
function change(before: string | null, after: string) {
  if (before === after) return `${after}, as now`
  return (
    <>
      <span className="text-ink-3">{before ?? 'the default'} → </span>
      {after}
    </>
  )
}
