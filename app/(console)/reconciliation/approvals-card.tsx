import { Card, CardText } from '@/app/_ui/card'
import { moneyText } from '@/app/_ui/money-text'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import type { ActionView } from '@/lib/actions/view'
import { POLICY_ACTION_KIND, ROLE_ACTION_KIND, RULES_ACTION_KIND } from '@/lib/core/states'
import { formatKeyId } from '@/lib/keys/key-id'
import { fixVerb } from './words'

/** Proposals that wait for a second person. */
export function ApprovalsCard({
  actions,
  names,
  me,
}: {
  actions: readonly ActionView[]
  names: ReadonlyMap<string, string>
  me: string
}) {
  return (
    <Card
      id="approvals"
      title="Waiting for approval"
      aside={actions.length === 0 ? undefined : `${actions.length}`}
    >
      {actions.length === 0 ? (
        <CardText>Nothing waits. What is proposed appears here for a second person.</CardText>
      ) : (
        <ul>
          {actions.map((action) => (
            <li
              key={action.id}
              className="relative flex min-h-13 items-center gap-3 border-line border-t px-4 py-1.5 first:border-t-0 hover:bg-sunken"
            >
              <div className="min-w-0 flex-1">
                <PageLink href={placeOf(action)} className="after:absolute after:inset-0 hover:underline">
                  {fixVerb(action.kind)}
                  {action.amount !== null && <span className="font-medium"> {moneyText(action.amount)}</span>}
                </PageLink>
                <span className="block truncate text-ink-3 text-s">
                  {action.proposer === me
                    ? 'yours, somebody else approves'
                    : (names.get(action.proposer ?? '') ?? 'system')}
                  : “{action.reason}”
                </span>
              </div>
              <Time at={action.createdAt} kind="age" className="text-ink-3" />
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

/** Where it is decided on. */
function placeOf({ id, kind, caseId, source, scope, key }: ActionView): string {
  if (kind === 'fail' && source !== null && scope !== null && key !== null)
    return `/keys/${formatKeyId({ sourceId: source, scope, key })}`
  if (kind === POLICY_ACTION_KIND) return '/storage#policies'
  if (kind === RULES_ACTION_KIND) return '/reconciliation/rules'
  if (kind === ROLE_ACTION_KIND) return '/settings#users'
  return caseId === null ? `/audit?subject=${id}` : `/reconciliation/cases/${caseId}`
}
