import { Card } from '@/app/_ui/card'
import { ListRow } from '@/app/_ui/list-row'
import { moneyText } from '@/app/_ui/money-text'
import { RowLink } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { ActionView } from '@/lib/actions/view'
import { POLICY_ACTION_KIND, ROLE_ACTION_KIND, RULES_ACTION_KIND, TERMS_ACTION_KIND } from '@/lib/core/states'
import { formatKeyId } from '@/lib/keys/key-id'
import { fixVerb } from '@/lib/reconcile/corrections/describe-correction'

type Props = { actions: readonly ActionView[]; names: ReadonlyMap<string, string>; me: string }

/** Proposals that wait for a second person. */
export function ApprovalsCard({ actions, names, me }: Props) {
  return (
    <Card
      id="approvals"
      title="Waiting for approval"
      aside={actions.length === 0 ? undefined : `${actions.length}`}
      empty={actions.length === 0 && 'Nothing waits. What is proposed appears here for a second person.'}
    >
      <ul>
        {actions.map((action) => (
          <ListRow
            key={action.id}
            below={`${
              action.proposer === me
                ? 'yours, somebody else approves'
                : (names.get(action.proposer ?? '') ?? 'system')
            }: “${action.reason}”`}
            end={<Time at={action.createdAt} kind="age" className="text-ink-3" />}
          >
            <RowLink to={placeOf(action)}>
              {fixVerb(action.kind)}
              {action.amount !== null && <span className="font-medium"> {moneyText(action.amount)}</span>}
            </RowLink>
          </ListRow>
        ))}
      </ul>
    </Card>
  )
}

/** Where it is decided on. */
function placeOf({ id, kind, caseId, source, scope, key }: ActionView): string {
  if (kind === 'fail' && source !== null && scope !== null && key !== null)
    return `/keys/${formatKeyId({ sourceId: source, scope, key })}`
  if (kind === 'redrive' || kind === 'discard') return '/messages#proposals'
  if (kind === POLICY_ACTION_KIND) return '/storage#policies'
  if (kind === RULES_ACTION_KIND) return '/reconciliation/rules'
  if (kind === TERMS_ACTION_KIND) return '/alerts/terms'
  if (kind === ROLE_ACTION_KIND) return '/settings#users'
  return caseId === null ? `/audit?subject=${id}` : `/reconciliation/cases/${caseId}`
}
