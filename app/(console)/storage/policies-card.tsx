import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { DurationField } from '@/app/_ui/duration-field'
import { CheckField, SelectField, TextField } from '@/app/_ui/field'
import { type Column, figureColumn, secondLineClass, Table, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { durationText } from '@/lib/core/format-figure'
import { nameIn } from '@/lib/core/names'
import { type Floor, isBelowFloor } from '@/lib/retention/policy/floor'
import { defaultPolicy, type PolicyView } from '@/lib/retention/policy/policies'
import { propose } from './actions'
import type { StorageData } from './read-page'
import { ttlText, WaitingPolicy } from './waiting-policy'

/** What collections keep to: agreed by two people, or the default where nobody has agreed on anything. */
export function PoliciesCard(storage: StorageData) {
  const { policies, floors, waiting, collectable, byRows, tiers, forbid, place } = storage
  const standard = defaultPolicy()
  return (
    <Card
      id="policies"
      title="Retention policies"
      aside={policies.length === 0 ? 'only the default' : `${policies.length} in force`}
    >
      {waiting.map((action) => (
        <WaitingPolicy key={action.id} action={action} {...storage} />
      ))}
      <Table
        columns={columnsOf(storage)}
        rows={[...policies, { id: 'default', ...standard }]}
        id={({ id }) => id}
      />
      <div className="flex flex-wrap gap-2 px-4 py-3">
        {collectable.map(({ id, name }) => (
          <ActionDialog
            key={id}
            opener={collectable.length === 1 ? 'Propose a policy' : `Propose a policy for ${name}`}
            forbidden={forbid('retention.run')}
            title={`Propose a policy for ${name} in ${place}`}
            lead="Nothing changes until a second person approves. What is past its retention is then dropped for good."
            confirm="Propose 1 policy"
            withReason
            action={propose.bind(null, id)}
          >
            <PolicyForm
              byRows={byRows.has(id)}
              tiers={tiers.filter(({ source }) => source === id).map(({ tier }) => tier)}
              safetyMs={standard.safetyMs}
              floorMs={floors.get(id)?.floorMs ?? null}
            />
          </ActionDialog>
        ))}
        {collectable.length === 0 && (
          <p className="text-ink-2">
            No connected store is collected from here: there is nothing to agree on.
          </p>
        )}
      </div>
    </Card>
  )
}

/** What is not agreed on keeps to the default. */
type PolicyRow = PolicyView | { id: 'default'; ttlMs: number | null; safetyMs: number }

const columnsOf = ({ floors, names }: StorageData): Column<PolicyRow>[] => [
  {
    head: 'For',
    className: 'w-full max-w-0',
    cell: (policy) =>
      'source' in policy ? (
        <>
          <span className="block font-medium">{policy.endpoint || policy.tier || 'all'}</span>
          <span className={secondLineClass}>
            {nameIn(names, policy.source)}, since <Time at={policy.updatedAt} />
          </span>
          <FloorNote policy={policy} floor={floors.get(policy.source)} />
        </>
      ) : (
        <TwoLines below="the default">everything else</TwoLines>
      ),
  },
  figureColumn('TTL', ({ ttlMs }) => ttlText(ttlMs)),
  figureColumn('Buffer', ({ safetyMs }) => durationText(safetyMs)),
  figureColumn('Archive', (policy) =>
    'archive' in policy && policy.archive ? <Badge tone="ok">first</Badge> : 'no',
  ),
]

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

type FormProps = {
  byRows: boolean
  tiers: readonly string[]
  safetyMs: number
  /** Up to which its keys can be replayed; null = it drops what has expired, and nothing else. */
  floorMs: number | null
}

/** What of a store is kept, how long, and whether it is written to an archive first. */
function PolicyForm({ byRows, tiers, safetyMs, floorMs }: FormProps) {
  return (
    <>
      {byRows ? (
        <EndpointFields floorMs={floorMs} />
      ) : (
        <SelectField
          name="tier"
          label="Tier"
          hint="Its TTL is the service’s own: registerTier(name, ttlMs) of the SDK."
          defaultValue=""
          choices={[{ value: '', label: 'All tiers' }, ...tiers]}
        />
      )}
      <DurationField
        name="safety"
        label="Safety buffer"
        hint="So long after its end a key is kept still."
        valueMs={safetyMs}
      />
      <CheckField name="archive" label="Write an archive first" />
    </>
  )
}

function EndpointFields({ floorMs }: Pick<FormProps, 'floorMs'>) {
  return (
    <>
      <TextField
        name="endpoint"
        label="Endpoint; empty means all"
        placeholder="POST /v1/payments"
        maxLength={300}
      />
      <DurationField
        name="ttl"
        label="TTL"
        hint={
          floorMs === null
            ? 'Empty = as the store says itself.'
            : `Empty = as the store says itself. At least ${durationText(floorMs)}: until then its keys can be replayed.`
        }
        valueMs={null}
      />
      <TextField
        name="exception"
        label="Exception, where the TTL is shorter than that"
        hint="A retry of a key that is gone executes again. Whoever approves sees this sentence."
        placeholder="Why no client retries these keys any more"
        maxLength={500}
      />
    </>
  )
}
