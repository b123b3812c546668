import type { Db } from '@/lib/db'

/**
 * A charge that is booked, under its own id or its payment's, or of which nothing is left with the provider. The classes of
 * reconciliation find nothing wrong with it either (lib/reconcile/classify/aspects/existence-effect.ts).
 */
const SQL = `
  SELECT e.ref FROM unnest($1::text[]) e(ref)
  WHERE EXISTS (
      SELECT FROM mirror.object o WHERE o.provider_ref = e.ref AND o.gone_at IS NULL AND (
        o.side = 'ledger' AND o.status = 'booked'
        OR o.side = 'provider' AND (o.status IN ('failed', 'canceled')
          OR o.captured_minor > 0 AND o.refunded_minor >= o.captured_minor)))
    OR EXISTS (
      SELECT FROM mirror.object o JOIN mirror.object l ON l.provider_ref = o.parent_ref
      WHERE o.provider_ref = e.ref AND o.side = 'provider' AND o.kind = 'charge' AND o.parent_ref IS NOT NULL
        AND l.side = 'ledger' AND l.status = 'booked' AND l.gone_at IS NULL)`

/** Which of the provider's ids are explained without any idempotency record. */
export async function readExplainedEffects(db: Db, refs: readonly string[]): Promise<Set<string>> {
  if (refs.length === 0) return new Set()
  const { rows } = await db.pool.query<{ ref: string }>(SQL, [refs])
  return new Set(rows.map(({ ref }) => ref))
}
