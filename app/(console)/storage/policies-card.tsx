import { ActDialog } from '@/app/_ui/act-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { durationText } from '@/app/_ui/format-time'
import { cellClass, secondLineClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { ActionView } from '@/lib/actions/view'
import type { SourceView } from '@/lib/mirror/read/list-sources'
import { type Floor, isBelowFloor } from '@/lib/retention/policy/floor'
import { defaultPolicy, type PolicyView } from '@/lib/retention/policy/policies'
import { propose } from './act'
import { PolicyForm } from './policy-form'
import { WaitingPolicy } from './waiting-policy'

const FIGURE = 'whitespace-nowrap text-right'

type Props = {
  policies: readonly PolicyView[]
  /** By source: up to when its keys can be replayed. */
  floors: ReadonlyMap<string, Floor>
  waiting: readonly ActionView[]
  /** Stores that can be collected, with their tiers. */
  stores: readonly { source: SourceView; byRows: boolean; tiers: readonly string[] }[]
  names: ReadonlyMap<string, string>
  people: ReadonlyMap<string, string>
  me: string
  forbidden: { propose: string | null; decide: string | null }
  place: string
}

/** What collections keep to: agreed by two people, or the default where nobody has agreed on anything. */
export function PoliciesCard(props: Props) {
  const { policies, floors, waiting, stores, names, forbidden, place } = props
  const standard = defaultPolicy()
  return (
    <Card
      id="policies"
      title="Retention policies"
      aside={policies.length === 0 ? 'only the default' : `${policies.length} in force`}
    >
      {waiting.map((action) => (
        <WaitingPolicy key={action.id} action={action} {...props} />
      ))}
      <PolicyTable policies={policies} floors={floors} names={names} />
      <div className="flex flex-wrap gap-2 px-4 py-3">
        {stores.map(({ source, byRows, tiers }) => (
          <ActDialog
            key={source.id}
            opener={stores.length === 1 ? 'Propose a policy' : `Propose a policy for ${source.name}`}
            forbidden={forbidden.propose}
            title={`Propose a policy for ${source.name} in ${place}`}
            lead="Nothing changes until a second person approves. What is past its retention is then dropped for good."
            confirm="Propose 1 policy"
            withReason
            act={propose.bind(null, source.id)}
          >
            <PolicyForm
              byRows={byRows}
              tiers={tiers}
              safetyMs={standard.safetyMs}
              floorMs={floors.get(source.id)?.floorMs ?? null}
            />
          </ActDialog>
        ))}
        {stores.length === 0 && (
          <p className="text-ink-2">
            No connected store is collected from here: there is nothing to agree on.
          </p>
        )}
      </div>
    </Card>
  )
}

function PolicyTable({ policies, floors, names }: Pick<Props, 'policies' | 'floors' | 'names'>) {
  const standard = defaultPolicy()
  return (
    <table className={tableClass}>
      <thead>
        <tr>
          {['For', 'TTL', 'Buffer', 'Archive'].map((name) => (
            <th key={name} scope="col" className={stillHeadClass(name === 'For' ? '' : 'text-right')}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {policies.map((policy) => (
          <tr key={policy.id}>
            <td className={cellClass('w-full max-w-0')}>
              <span className="block font-medium">{policy.endpoint || policy.tier || 'all'}</span>
              <span className={secondLineClass}>
                {names.get(policy.source) ?? policy.source}, since <Time at={policy.updatedAt} />
              </span>
              <FloorNote policy={policy} floor={floors.get(policy.source)} />
            </td>
            <td className={cellClass(FIGURE)}>{ttlText(policy.ttlMs)}</td>
            <td className={cellClass(FIGURE)}>{durationText(policy.safetyMs)}</td>
            <td className={cellClass(FIGURE)}>{policy.archive ? <Badge tone="ok">first</Badge> : 'no'}</td>
          </tr>
        ))}
        <tr>
          <td className={cellClass('w-full max-w-0')}>
            <span className="block">everything else</span>
            <span className={secondLineClass}>the default</span>
          </td>
          <td className={cellClass(FIGURE)}>{ttlText(standard.ttlMs)}</td>
          <td className={cellClass(FIGURE)}>{durationText(standard.safetyMs)}</td>
          <td className={cellClass(FIGURE)}>no</td>
        </tr>
      </tbody>
    </table>
  )
}

/** A policy that asks for less than the floor: what it comes to. */
function FloorNote({ policy, floor }: { policy: PolicyView; floor: Floor | undefined }) {
  if (floor === undefined || !isBelowFloor(policy, floor)) return null
  const until = durationText(floor.floorMs)
  return (
    <span className="mt-0.5 block break-words text-warn-ink">
      {policy.exception === null
        ? `Below the floor: its keys can be replayed for ${until}, and are kept as long. An exception takes a new proposal.`
        : `Below the floor of ${until}, by an exception: ${policy.exception}`}
    </span>
  )
}

const ttlText = (ttlMs: number | null) => (ttlMs === null ? 'the store’s own' : durationText(ttlMs))
