import { DurationField } from '@/app/_ui/duration-field'
import { CheckField, SelectField, TextField } from '@/app/_ui/field'
import { durationText } from '@/lib/core/format-figure'

type Props = {
  byRows: boolean
  tiers: readonly string[]
  safetyMs: number
  /** Up to which its keys can be replayed; null = it drops what has expired, and nothing else. */
  floorMs: number | null
}

/** What of a store is kept, how long, and whether it is written to an archive first. */
export function PolicyForm({ byRows, tiers, safetyMs, floorMs }: Props) {
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
          choices={[
            { value: '', label: 'All tiers' },
            ...tiers.map((tier) => ({ value: tier, label: tier })),
          ]}
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

function EndpointFields({ floorMs }: Pick<Props, 'floorMs'>) {
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
