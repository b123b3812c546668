import { DurationField } from '@/app/_ui/duration-field'
import { fieldClass } from '@/app/_ui/field'
import { durationText } from '@/app/_ui/format-time'

/** What of a store is kept, how long, and whether it is written to an archive first. */
export function PolicyForm({
  byRows,
  tiers,
  safetyMs,
  floorMs,
}: {
  byRows: boolean
  tiers: readonly string[]
  safetyMs: number
  /** Up to which its keys can be replayed; null = it drops what has expired, and nothing else. */
  floorMs: number | null
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
          <label className="block">
            <span className="mb-1 block font-medium">Exception, where the TTL is shorter than that</span>
            <input
              name="exception"
              placeholder="Why no client retries these keys any more"
              autoComplete="off"
              maxLength={500}
              className={fieldClass}
            />
            <span className="mt-1 block text-ink-3 text-s">
              A retry of a key that is gone executes again. Whoever approves sees this sentence.
            </span>
          </label>
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
