import { readConsoleMeasures } from '@/lib/alerts/read-measures'
import { publicUrl } from '@/lib/env'
import { countLocks } from '@/lib/locks/list-locks'
import { readUnlisted } from '@/lib/locks/unlisted'
import { readMessageSources } from '@/lib/messages/read/overview'
import { listSources, storeStateOf } from '@/lib/mirror/read/list-sources'
import { readProcesses } from '@/lib/runs/processes'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import type { Services } from '../services'
import { readConditionFamilies } from './conditions'
import { readCounters } from './counters'
import { withExemplars } from './exemplars'
import { type Format, family, renderExposition, type Sample } from './exposition'
import { measureFamilies } from './measures'
import { messageFamilies } from './messages'
import { processFamilies } from './process'

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

/** What /metrics says. A measure that is not measured has no sample. */
export async function renderMetrics(app: Services, format: Format): Promise<string> {
  const { db, clock, settings } = app
  const now = clock.now()
  const from = new Date(now.getTime() - WINDOW_MS)
  const [
    measures,
    counters,
    locks,
    unlisted,
    processes,
    conditions,
    sources,
    services,
    runs,
    queued,
    messages,
  ] = await Promise.all([
    readConsoleMeasures(app, { from, to: now }),
    readCounters(app, now),
    countLocks(db, now, 0),
    readUnlisted(db),
    readProcesses(db, clock),
    readConditionFamilies(db),
    listSources(db, now),
    readFreshness(db, now),
    db.pool.query<{ kind: string; state: string; count: number }>(RUNS, [
      new Date(now.getTime() - RUNS_WINDOW_MS),
    ]),
    readQueue(app),
    readMessageSources(app),
  ])
  const enabled = sources.filter((source) => source.enabled)
  const families = [
    family('idemscope_console_info', [
      { labels: { url: publicUrl(settings), environment: settings.IDEMSCOPE_ENVIRONMENT }, value: 1 },
    ]),
    ...measureFamilies(measures, new Map(sources.map(({ id, name }) => [id, name]))),
    ...(format === 'openMetrics' ? await withExemplars(db, now, counters) : counters),
    ...conditions,
    family(
      'idemscope_locks',
      storeStateOf(sources) === 'read'
        ? [
            { labels: { state: 'live' }, value: locks.live },
            { labels: { state: 'stuck' }, value: locks.stuck },
          ]
        : [],
    ),
    family(
      'idemscope_locks_unlisted',
      enabled
        .filter(({ kind }) => kind === 'intent')
        .map(({ id, name }) => ({
          labels: { source: name },
          value: unlisted.some(({ source }) => source === id) ? 1 : 0,
        })),
    ),
    ...messageFamilies(messages, now),
    family('idemscope_processes', countProcesses(processes.filter(({ fresh }) => fresh))),
    family(
      'idemscope_source_up',
      enabled.map(({ name, state }) => ({ labels: { source: name }, value: state === 'ok' ? 1 : 0 })),
    ),
    family(
      'idemscope_telemetry_age_seconds',
      services.map(({ service, environment, ageMs }) => ({
        labels: { service, environment },
        value: ageMs / 1000,
      })),
    ),
    family(
      'idemscope_runs',
      runs.rows.map(({ kind, state, count }) => ({ labels: { kind, state }, value: count })),
    ),
    family(
      'idemscope_queue_depth',
      queued.map(({ kind, count }) => ({ labels: { queue: kind }, value: count })),
    ),
    ...processFamilies(now, app.live.size()),
  ]
  return renderExposition(families, format)
}

async function readQueue({ db }: Services): Promise<{ kind: string; count: number }[]> {
  const { rows } = await db.pool.query<{ present: boolean }>(HAS_QUEUE)
  if (rows[0]?.present !== true) return []
  return (await db.pool.query<{ kind: string; count: number }>(QUEUE)).rows
}

/** Without these nothing is collected or evaluated: that there is none is a 0. */
const NEEDED_PROCESSES = ['receiver', 'worker']

function countProcesses(rows: readonly { kind: string }[]): Sample[] {
  const counts = new Map(NEEDED_PROCESSES.map((kind) => [kind, 0]))
  for (const { kind } of rows) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts].map(([kind, value]) => ({ labels: { kind }, value }))
}
