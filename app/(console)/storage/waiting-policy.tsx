import type { ActionView } from '@/lib/actions/view'
import { durationText } from '@/lib/core/format-figure'
import { nameIn } from '@/lib/core/names'
import { policyEvidenceSchema } from '@/lib/retention/policy/propose-policy'
import { Changed, ProposedChange } from '../_decide/decision'
import type { StorageData } from './read-page'

/** A proposed policy: what it would change, who asked and why, and who may decide. */
export function WaitingPolicy({
  action,
  names,
  people,
  me,
  forbid,
  place,
}: StorageData & { action: ActionView }) {
  const parsed = policyEvidenceSchema.safeParse(action.evidence)
  if (!parsed.success) return null
  const { before, after, floorMs } = parsed.data
  const what = after.endpoint || after.tier || 'all'
  const facts = [
    { label: 'For', value: `${what} of ${nameIn(names, after.source)}` },
    { label: 'TTL', value: change(before && ttlText(before.ttlMs), ttlText(after.ttlMs)) },
    {
      label: 'Safety buffer',
      value: change(before && durationText(before.safetyMs), durationText(after.safetyMs)),
    },
    { label: 'Archive', value: change(before && yesNo(before.archive), yesNo(after.archive)) },
    {
      label: 'Exception',
      value:
        after.exception &&
        `${after.exception}${floorMs === null ? '' : ` (floor: ${durationText(floorMs)})`}`,
    },
  ]
  return (
    <ProposedChange
      label={`Proposed policy for ${what}`}
      what="proposed policy"
      {...{ action, people, me, facts }}
      forbidden={forbid('action.approve')}
      approval={{
        opener: 'Approve policy',
        title: `Approve the policy for ${what} in ${place}`,
        lead: leadOf(after.exception, floorMs),
        confirm: `Approve 1 policy in ${place}`,
        typed: { label: 'How many', expected: '1' },
      }}
    />
  )
}

function leadOf(exception: string | null, floorMs: number | null): string {
  const lead = 'In force at once: the next collection keeps to it, and what it drops is gone for good.'
  if (exception === null || floorMs === null) return lead
  return `${lead} It drops keys that can be replayed for ${durationText(floorMs)}: a retry of one executes again. The exception: ${exception}`
}

export const ttlText = (ttlMs: number | null): string =>
  ttlMs === null ? 'the store’s own' : durationText(ttlMs)
const yesNo = (archive: boolean): string => (archive ? 'first' : 'no')

/** Before → after; what stays is said once. */
const change = (before: string | null, after: string) =>
  before === after ? `${after}, as now` : <Changed before={before ?? 'the default'} after={after} />
