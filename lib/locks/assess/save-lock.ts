import type { SystemContext } from '@/lib/context'
import { canonicalJson } from '@/lib/core/canonical-json'
import { newId } from '@/lib/core/ids'
import type { AllLeases } from '@/lib/sources/read-all-leases'
import type { Reading } from './inspect'
import { formatLockVersion } from './lock-version'

/** Stamps stay text until PostgreSQL reads them: a JS date would lose their microseconds. */
const UPSERT = `
  INSERT INTO lock AS l (id, source_id, scope, key, state, version, fence, attempts, tier, holder, step, trace_id,
    acquired_at, lease_until, heartbeat_at, verdict, verdict_reason, provider_answer, unchanged_since, checked_at, gone_at)
  SELECT r.id, $1, r.scope, r.key, r.state, r.version, r.fence, r.attempts, r.tier, r.holder, r.step, r.trace_id,
    r.acquired_at, r.lease_until, r.heartbeat_at, r.verdict, r.verdict_reason, r.provider_answer, r.store_now, $3, NULL
  FROM jsonb_to_recordset($2::jsonb) r(id text, scope text, key text, state text, version text, fence bigint,
    attempts int, tier text, holder text, step text, trace_id text, acquired_at timestamptz, lease_until timestamptz,
    heartbeat_at timestamptz, verdict text, verdict_reason text, provider_answer jsonb, store_now timestamptz)
  ON CONFLICT (source_id, scope, key, acquired_at) DO UPDATE SET
    state = excluded.state, version = excluded.version, fence = excluded.fence, attempts = excluded.attempts,
    tier = excluded.tier, holder = excluded.holder, step = excluded.step, trace_id = excluded.trace_id,
    lease_until = excluded.lease_until, heartbeat_at = excluded.heartbeat_at, verdict = excluded.verdict,
    verdict_reason = excluded.verdict_reason, provider_answer = excluded.provider_answer,
    unchanged_since = CASE WHEN split_part(l.version, '.', 2) = split_part(excluded.version, '.', 2)
      THEN coalesce(l.unchanged_since, excluded.unchanged_since) ELSE excluded.unchanged_since END,
    checked_at = excluded.checked_at, gone_at = NULL
  WHERE l.checked_at <= excluded.checked_at AND l.fence <= excluded.fence`

const toRow = ({ lease, storeNow, assessment, answer, version }: Reading) => ({
  id: newId('lock'),
  scope: lease.scope,
  key: lease.key,
  state: assessment.state,
  version: formatLockVersion(version),
  fence: lease.fence.toString(),
  attempts: lease.attempts,
  tier: lease.tier,
  holder: lease.owner,
  step: lease.step,
  trace_id: lease.traceId,
  acquired_at: lease.seen.createdAt,
  lease_until: lease.seen.leaseUntil,
  heartbeat_at: lease.seen.heartbeatAt,
  verdict: assessment.verdict,
  verdict_reason: assessment.reason,
  provider_answer: answer,
  store_now: storeNow,
})

/** Writes what was read of locks of one source. What was read later, or of a later holder, stays. */
export async function saveLocks(
  ctx: SystemContext,
  sourceId: string,
  readings: readonly Reading[],
  checkedAt: Date,
): Promise<void> {
  if (readings.length === 0) return
  await ctx.db.pool.query(UPSERT, [sourceId, canonicalJson(readings.map(toRow)), checkedAt])
}

/** Locks of a source that a reading no longer has, as far as it is complete. */
const MARK_GONE = `
  UPDATE lock l SET gone_at = $3
  WHERE l.source_id = $1 AND l.gone_at IS NULL AND l.checked_at <= $3
    AND ($4::timestamptz IS NULL OR l.acquired_at < $4)
    AND NOT EXISTS (
      SELECT FROM jsonb_to_recordset($2::jsonb) r(scope text, key text, acquired_at timestamptz)
      WHERE r.scope = l.scope AND r.key = l.key AND coalesce(r.acquired_at = l.acquired_at, true)
    )`

/** What is not there has ended. A row that cannot be read is there all the same; one that names no key may be any. */
export async function markGoneLocks(
  ctx: SystemContext,
  sourceId: string,
  { leases, unreadable = [], truncated, wholeUntil }: AllLeases,
  checkedAt: Date,
): Promise<number> {
  const nameless = unreadable.some(({ scope, key }) => scope === null || key === null)
  if (nameless || (truncated && wholeUntil === null)) return 0
  const rows = [
    ...leases.map(({ scope, key, seen }) => ({ scope, key, acquired_at: seen.createdAt })),
    ...unreadable.map(({ scope, key }) => ({ scope, key, acquired_at: null })),
  ]
  const values = [sourceId, canonicalJson(rows), checkedAt, wholeUntil]
  return (await ctx.db.pool.query(MARK_GONE, values)).rowCount ?? 0
}
