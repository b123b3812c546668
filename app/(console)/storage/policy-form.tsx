import { DurationField } from '@/app/_ui/duration-field'
import { fieldClass } from '@/app/_ui/field'

/** What of a store is kept, how long, and whether it is written to an archive first. */
export function PolicyForm({
  byRows,
  tiers,
  safetyMs,
}: {
  byRows: boolean
  tiers: readonly string[]
  safetyMs: number
}) {
  return (
    <>
      {byRows ? (
        <>
          <label className="block">
            <span className="mb-1 block font-medium">Endpoint; empty means all</span>
            <input
              name="endpoint"
              placeholder="POST /v1/payments"
              autoComplete="off"
              maxLength={300}
              className={fieldClass}
            />
          </label>
          <DurationField name="ttl" label="TTL" hint="Empty = as the store says itself." valueMs={null} />
        </>
      ) : (
        <label className="block">
          <span className="mb-1 block font-medium">Tier</span>
          <select name="tier" defaultValue="" className={fieldClass}>
            <option value="">All tiers</option>
            {tiers.map((tier) => (
              <option key={tier}>{tier}</option>
            ))}
          </select>
          <span className="mt-1 block text-ink-3 text-s">
            Its TTL is the service’s own: registerTier(name, ttlMs) of the SDK.
          </span>
        </label>
      )}
      <DurationField
        name="safety"
        label="Safety buffer"
        hint="So long after its end a key is kept still."
        valueMs={safetyMs}
      />
      <ArchiveChoice />
    </>
  )
}

export function ArchiveChoice() {
  return (
    <label className="flex min-h-8 items-center gap-2 max-md:min-h-11">
      <input type="checkbox" name="archive" /> Write an archive first
    </label>
  )
}
