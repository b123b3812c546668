import { readConsoleMeasures } from '@/lib/alerts/read-measures'
import { readConditions } from '@/lib/conditions/read-conditions'
import { countLocks } from '@/lib/locks/list-locks'
import { readUnlisted } from '@/lib/locks/unlisted'
import { listSources, storeStateOf } from '@/lib/mirror/read/list-sources'
import { readProcesses } from '@/lib/runs/processes'
import type { Measure } from '@/lib/telemetry/measures/measure'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import { type Family, gauge, renderExposition, type Sample } from './exposition'
import { processFamilies } from './process-metrics'
import type { Services } from './services'

/** The figures are of the last five whole minutes: what an alert rule wants. */
const WINDOW_MS = 5 * 60_000

const RUNS = `
  SELECT kind, state, count(*)::int AS count FROM run
  WHERE state IN ('queued', 'running') OR finished_at > $1 GROUP BY kind, state ORDER BY kind, state`
const RUNS_WINDOW_MS = 3_600_000

/** Jobs that wait in pg-boss, whose tables are the worker's to make. */
const QUEUE = `
  SELECT name AS kind, count(*)::int AS count FROM pgboss.job WHERE state IN ('created', 'retry') GROUP BY name`
const HAS_QUEUE = `SELECT to_regclass('pgboss.job') IS NOT NULL AS present`

/** Prometheus text exposition. A measure that is not measured has no sample. */
export async function renderMetrics(app: Services): Promise<string> {
  const { db, clock } = app
  const now = clock.now()
  const from = new Date(now.getTime() - WINDOW_MS)
  const [measures, locks, unlisted, processes, conditions, sources, services, runs, queued] =
    await Promise.all([
      readConsoleMeasures(app, { from, to: now }),
      countLocks(db, now, 0),
      readUnlisted(db),
      readProcesses(db, clock),
      readConditions(db),
      listSources(db, now),
      readFreshness(db, now),
      db.pool.query<{ kind: string; state: string; count: number }>(RUNS, [
        new Date(now.getTime() - RUNS_WINDOW_MS),
      ]),
      readQueue(app),
    ])
  const fresh = processes.filter((process) => process.fresh)
  return renderExposition([
    ...measureFamilies(measures),
    gauge(
      'locks',
      'Live locks; no sample until an idempotency store was read.',
      storeStateOf(sources) === 'read'
        ? [
            { labels: { state: 'live' }, value: locks.live },
            { labels: { state: 'stuck' }, value: locks.stuck },
          ]
        : [],
    ),
    gauge(
      'locks_unlisted',
      '1 while a store holds more live locks than are listed: the counts of locks are lower bounds.',
      sources
        .filter(({ kind, enabled }) => kind === 'intent' && enabled)
        .map(({ id, name }) => ({
          labels: { source: name },
          value: unlisted.some(({ source }) => source === id) ? 1 : 0,
        })),
    ),
    gauge('conditions_firing', 'Conditions that hold now.', countByKind(conditions)),
    gauge('processes', 'Processes with a fresh sign of life.', countByKind(fresh)),
    gauge(
      'source_up',
      '1 while a source can be read.',
      sources.map(({ name, state }) => ({ labels: { source: name, state }, value: state === 'ok' ? 1 : 0 })),
    ),
    gauge(
      'telemetry_age_seconds',
      'Since the last span of a service was received.',
      services.map(({ service, ageMs }) => ({ labels: { service }, value: ageMs / 1000 })),
    ),
    gauge(
      'runs',
      'Runs that are queued or running, or ended within the hour.',
      runs.rows.map(({ kind, state, count }) => ({ labels: { kind, state }, value: count })),
    ),
    gauge(
      'queue_depth',
      'Jobs that wait for a worker.',
      queued.map(({ kind, count }) => ({ labels: { queue: kind }, value: count })),
    ),
    ...processFamilies(app.live.size()),
  ])
}

async function readQueue({ db }: Services): Promise<{ kind: string; count: number }[]> {
  const { rows } = await db.pool.query<{ present: boolean }>(HAS_QUEUE)
  if (rows[0]?.present !== true) return []
  return (await db.pool.query<{ kind: string; count: number }>(QUEUE)).rows
}

function measureFamilies(measures: readonly Measure[]): Family[] {
  const of = (what: 'value' | 'numerator' | 'denominator' | 'target'): Sample[] =>
    measures.flatMap((measure) => {
      const value = measure[what]
      return value === null
        ? []
        : { labels: { measure: measure.id, unit: measure.unit }, value: Number(value) }
    })
  return [
    gauge('measure', 'M1 to M10 of the last five minutes.', of('value')),
    gauge('measure_numerator', 'What a measure counted.', of('numerator')),
    gauge('measure_denominator', 'Of how many.', of('denominator')),
    gauge('measure_target', 'The objective, an upper bound.', of('target')),
    gauge(
      'measure_breached',
      '1 while a measure is above its target.',
      measures.flatMap(({ id, state }) =>
        state === 'not measured' ? [] : { labels: { measure: id }, value: state === 'breach' ? 1 : 0 },
      ),
    ),
  ]
}

function countByKind(rows: readonly { kind: string }[]): Sample[] {
  const counts = new Map<string, number>()
  for (const { kind } of rows) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts].map(([kind, value]) => ({ labels: { kind }, value }))
}
