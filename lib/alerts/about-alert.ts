import type { ConditionKind } from '@/lib/core/condition-kinds'
import type { Db } from '@/lib/db'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import { readEndpoints } from '@/lib/telemetry/read/requests/endpoints'

type Alert = { kind: ConditionKind; subject: string; detail: Record<string, unknown> }

/** Endpoints come the most duplicates first. */
const ENDPOINTS_READ = 1

/** Whom an alert is about, in words: its own subject, or for one about everything the service that stands out in its range. */
export async function serviceOf(
  db: Db,
  alert: Alert,
  range: { from: Date; to: Date },
  now: Date,
): Promise<string> {
  const { name, system } = alert.detail
  if (typeof system === 'string') return system
  if (typeof name === 'string') return name
  if (alert.subject !== 'all') return alert.subject
  const [{ rows }, services] = await Promise.all([
    readEndpoints(db, { ...range, limit: ENDPOINTS_READ }),
    readFreshness(db, now),
  ])
  const [worst] = rows
  if (alert.kind === 'duplicate_effects' && worst !== undefined && worst.effectsTwice > 0)
    return worst.version === '' ? worst.service : `${worst.service} ${worst.version}`
  const [only] = services
  return services.length === 1 && only !== undefined ? only.service : 'all services'
}
