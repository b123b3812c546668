import { type Finding, writeConditions } from '@/lib/conditions/write-conditions'
import type { SystemContext } from '@/lib/context'
import type { ConditionKind } from '@/lib/core/verdict'
import { listSources, type SourceView } from '@/lib/mirror/read/list-sources'
import { MEASURES, type Measure } from '@/lib/telemetry/measures/measure'
import { readMeasures } from '@/lib/telemetry/measures/measures'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import { LONG_MS, SHORT_MS } from './objectives'

/** Intent to final, P99, beyond which somebody has to look (the objective itself is P95 < 2 s). */
const LATENCY_P99_LIMIT_MS = 5_000

/** Kinds that are decided here: those no longer found are cleared. The others are reconcile's. */
const EVALUATED: readonly ConditionKind[] = [
  'duplicate_effects',
  'store_errors',
  'intent_latency',
  'stale_source',
  'unread_rows',
  'stale_telemetry',
]

/** Evaluates every condition and keeps since when each holds. What is not measured neither fires nor clears itself. */
export async function evaluateConditions(
  ctx: SystemContext,
): Promise<{ firing: number; raised: number; cleared: number }> {
  const now = ctx.clock.now()
  const [short, long, sources, services] = await Promise.all([
    readMeasures(ctx.db, { from: new Date(now.getTime() - SHORT_MS), to: now }, now),
    readMeasures(ctx.db, { from: new Date(now.getTime() - LONG_MS), to: now }, now),
    listSources(ctx.db, now),
    readFreshness(ctx.db, now),
  ])
  const findings: Finding[] = [
    ...burning('duplicate_effects', of(short, 'M2'), of(long, 'M2')),
    ...burning('store_errors', of(short, 'M3'), of(long, 'M3')),
    ...slow(of(short, 'M4')),
    ...sources
      .filter((source) => source.enabled && (source.state === 'down' || source.state === 'stale'))
      .map(
        (source): Finding => ({
          kind: 'stale_source',
          subject: source.id,
          detail: {
            name: source.name,
            state: source.state,
            lastOkAt: source.lastOkAt,
            error: source.lastError,
          },
        }),
      ),
    ...sources.filter(({ enabled }) => enabled).flatMap(unread),
    ...services
      .filter((service) => service.stale)
      .map(
        (service): Finding => ({
          kind: 'stale_telemetry',
          subject: service.service,
          detail: { lastReceivedAt: service.lastReceivedAt, environment: service.environment },
        }),
      ),
  ]
  return writeConditions(ctx.db.pool, now, { kinds: EVALUATED }, findings)
}

/** Rows that are there and from which nothing is concluded, or whose like may not be read. */
function unread({ id, name, notUnderstood, readLate }: SourceView): Finding[] {
  const latest = notUnderstood ?? readLate
  if (latest === null) return []
  const detail = {
    name,
    notUnderstood: notUnderstood?.count ?? null,
    late: readLate?.count ?? null,
    latestId: latest.latestId,
    reason: latest.latestReason,
  }
  return [{ kind: 'unread_rows', subject: id, detail }]
}

const of = (measures: readonly Measure[], id: Measure['id']): Measure | undefined =>
  measures.find((measure) => measure.id === id)

/** Both windows are above the target. */
function burning(kind: ConditionKind, short: Measure | undefined, long: Measure | undefined): Finding[] {
  if (short?.state !== 'breach' || long?.state !== 'breach') return []
  const detail = {
    value: short.value,
    numerator: short.numerator,
    denominator: short.denominator,
    longValue: long.value,
    longNumerator: long.numerator,
    longDenominator: long.denominator,
    target: long.target,
  }
  return [{ kind, subject: 'all', detail }]
}

function slow(latency: Measure | undefined): Finding[] {
  const p99Ms = latency?.detail.p99
  if (typeof p99Ms !== 'number' || p99Ms <= LATENCY_P99_LIMIT_MS) return []
  return [
    {
      kind: 'intent_latency',
      subject: 'all',
      detail: { value: p99Ms, limit: LATENCY_P99_LIMIT_MS, target: MEASURES.M4.target },
    },
  ]
}
