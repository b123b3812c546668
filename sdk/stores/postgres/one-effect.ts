import type { Clock } from '../../clock'
import type {
  Acquired,
  AcquireRequest,
  Completed,
  EffectBeginning,
  EffectBegun,
  EffectEnd,
  Holder,
  StoredResponse,
} from '../store'
import { type AcquiredRow, acquireBy, toAcquired } from './acquire'
import type { StoreDatabase } from './database'
import { type CompletedRow, completionOf, toCompleted } from './settle'
import { type BegunRow, toBegun } from './steps'

type Row = AcquiredRow & { begun: BegunRow }

/** Without a lease the fence is null, which matches no row: then nothing is begun. */
const acquireText = (schema: string) => `
  SELECT a.*, to_jsonb(e) AS begun
  FROM ${schema}.idem_acquire($1, $2, $3, $4, $5, $6, $7, $8) a
  CROSS JOIN LATERAL ${schema}.idem_start_effect($1, $2,
    CASE WHEN a.kind IN ('acquired', 'takeover') THEN a.fence END, $9, $10, $11, $12, $6) e`

/** One round trip. */
export const acquireAndBegin = (
  db: StoreDatabase,
  clock: Clock,
  request: AcquireRequest,
  tier: number,
  { step, name, kind, providerKey }: Omit<EffectBeginning, 'leaseMs'>,
): Promise<{ acquired: Acquired; begun: EffectBegun | null }> =>
  acquireBy(clock, request, tier, async (values) => {
    const row = await db.selectOne<Row>('acquire-and-begin', acquireText, [
      ...values,
      ...[step, name, kind, providerKey],
    ])
    const acquired = toAcquired(row)
    if (acquired.kind !== 'acquired' && acquired.kind !== 'takeover') return { acquired, begun: null }
    // Busy = begun by this very acquire, whose first answer was lost.
    const begun = row.begun.kind === 'busy' ? { ...row.begun, kind: 'begun' as const } : row.begun
    return { acquired, begun: toBegun(begun) }
  })

/** The completion waits for the settlement, and decides by itself whether the fence is stale. */
const completeText = (schema: string) => `
  SELECT c.* FROM ${schema}.idem_settle_effect($1, $2, $3, $8, 'C', $9, $10, $11, $12) s
  CROSS JOIN LATERAL ${schema}.idem_complete($1, $2, CASE WHEN s IS NOT NULL THEN $3::bigint END, $4, $5, $6, $7) c`

/** One round trip. */
export async function settleAndComplete(
  db: StoreDatabase,
  holder: Holder,
  response: StoredResponse,
  step: string,
  { reference, amountMinor, currency, result }: Extract<EffectEnd, { state: 'committed' }>,
): Promise<Completed | 'stale'> {
  const values = [
    ...completionOf(holder, response),
    ...[step, reference, amountMinor, currency, JSON.stringify(result)],
  ]
  return toCompleted(await db.selectOne<CompletedRow>('settle-and-complete', completeText, values))
}
