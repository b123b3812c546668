import { CONDITIONS } from '@/lib/core/condition-kinds'
import { MEASURES } from '@/lib/telemetry/measures/measure'
import { burnRecord, ofConsole, RATIO_NAMES, RATIOS, ratioRecord } from './expressions'

type Target = { expr: string; legend: string }
type Panel = {
  title: string
  type: 'stat' | 'timeseries' | 'table'
  unit: 'percentunit' | 's' | 'bytes' | 'short' | 'none'
  targets: readonly Target[]
  /** Of 24. */
  width: number
  /** Where it turns amber and red. */
  warn?: number
  bad?: number
}

const stat = (
  title: string,
  unit: Panel['unit'],
  expr: string,
  marks: Pick<Panel, 'warn' | 'bad'> = {},
): Panel => ({
  title,
  type: 'stat',
  unit,
  targets: [{ expr, legend: title }],
  width: 6,
  ...marks,
})
const chart = (
  title: string,
  unit: Panel['unit'],
  targets: readonly Target[],
  marks: Pick<Panel, 'warn' | 'bad'> = {},
): Panel => ({ title, type: 'timeseries', unit, targets, width: 12, ...marks })

const now = (metric: string, legend: string): Target => ({ expr: ofConsole(metric), legend })
const firing = (severity: string) =>
  `sum(${ofConsole(`idemscope_conditions_firing{severity="${severity}"}`)}) or vector(0)`
const rate = (metric: string, legend: string): Target => ({
  expr: ofConsole(`rate(${metric}[5m])`),
  legend,
})
const over30Days = (metric: string) => ofConsole(`increase(${metric}[30d])`)

const { fast, slow } = CONDITIONS.duplicate_effects.limits
const BUDGETS = ['duplicate_effects', 'store_errors'] as const

const ON_CALL: readonly Panel[] = [
  stat('Pages that fire', 'none', firing('page'), { bad: 1 }),
  stat('Tickets that fire', 'none', firing('ticket'), { warn: 1 }),
  stat('Stuck locks', 'none', ofConsole('idemscope_locks{state="stuck"}'), { bad: 1 }),
  stat('Orphaned side effects', 'none', ofConsole('idemscope_orphaned_effects_open'), { bad: 1 }),
  {
    title: 'What fires',
    type: 'table',
    unit: 'none',
    targets: [{ expr: `${ofConsole('idemscope_condition_firing')} == 1`, legend: '' }],
    width: 24,
  },
  ...BUDGETS.map((name) =>
    chart(
      `Burn of ${RATIOS[name].title}`,
      'short',
      (['5m', '1h', '30m', '6h'] as const).map((window) => ({
        expr: burnRecord(name, window),
        legend: window,
      })),
      { warn: slow.default, bad: fast.default },
    ),
  ),
  chart('Requests by outcome, per second', 'short', [rate('idemscope_requests_total', '{{outcome}}')]),
  chart('Sources that can be read', 'none', [now('idemscope_source_up', '{{source}}')]),
]

const EXECUTIVE: readonly Panel[] = [
  stat(`${RATIOS.duplicate_effects.title}, 30 days`, 'percentunit', ratioRecord('duplicate_effects', '30d'), {
    bad: MEASURES.M2.target,
  }),
  ...BUDGETS.map((name) =>
    stat(`Budget left of ${RATIOS[name].title}, 30 days`, 'percentunit', `1 - ${burnRecord(name, '30d')}`),
  ),
  stat(MEASURES.M10.name, 'none', ofConsole('idemscope_duplicate_pages'), { bad: MEASURES.M10.target + 1 }),
  stat('Duplicate side effects, 30 days', 'none', over30Days('idemscope_duplicate_effects_total')),
  stat('Orphaned side effects found, 30 days', 'none', over30Days('idemscope_orphaned_effects_total')),
  stat('Corrections, 30 days', 'none', `sum(${over30Days('idemscope_corrections_total')})`),
  stat('Expired-key retries, 30 days', 'none', over30Days('idemscope_expired_key_retries_total')),
  ...RATIO_NAMES.map((name) =>
    chart(RATIOS[name].title, 'percentunit', [
      { expr: ratioRecord(name, '6h'), legend: '6 h' },
      { expr: ofConsole(`idemscope_objective_ratio{objective="${name}"}`), legend: 'objective' },
    ]),
  ),
  chart('Size of the stores', 'bytes', [now('idemscope_store_size_bytes', '{{source}} {{tier}}')]),
]

const DEBUG: readonly Panel[] = [
  chart(MEASURES.M4.name, 's', [
    ...(['p50', 'p95', 'p99'] as const).map((name) => now(`idemscope_intent_to_final_${name}_seconds`, name)),
    now('idemscope_objective_seconds{objective="intent_to_final"}', 'objective'),
  ]),
  chart('Requests by outcome, per second', 'short', [rate('idemscope_requests_total', '{{outcome}}')]),
  chart('Store operations and errors, per second', 'short', [
    rate('idemscope_store_operations_total', 'operations'),
    rate('idemscope_store_errors_total', 'errors'),
  ]),
  chart('Locks', 'none', [
    now('idemscope_locks', '{{state}}'),
    now('idemscope_locks_unlisted', 'unlisted {{source}}'),
  ]),
  chart('Messages that wait, and that are dead', 'short', [
    now('idemscope_messages_unsent', 'unsent {{source}} {{topic}}'),
    now('idemscope_messages_held_back', 'held back {{source}}'),
    now('idemscope_messages_dead', 'dead {{source}} {{topic}}'),
  ]),
  chart('Age of the oldest unsent message', 's', [
    now('idemscope_messages_oldest_unsent_seconds', '{{source}} {{topic}}'),
  ]),
  chart('Queue', 'none', [now('idemscope_queue_depth', '{{queue}}')]),
  chart('Runs', 'none', [now('idemscope_runs', '{{kind}} {{state}}')]),
  chart('Processes', 'none', [now('idemscope_processes', '{{kind}}')]),
  chart('Age of telemetry', 's', [now('idemscope_telemetry_age_seconds', '{{service}} {{environment}}')]),
  chart('Rows of the stores', 'short', [
    now('idemscope_store_rows', '{{source}} {{tier}}'),
    now('idemscope_store_expired_rows', 'expired {{source}} {{tier}}'),
  ]),
  chart('Open streams', 'none', [{ expr: 'idemscope_open_streams', legend: '{{instance}}' }]),
  chart('Memory of the web processes', 'bytes', [
    {
      expr: 'process_resident_memory_bytes and on (instance) idemscope_console_info',
      legend: 'resident {{instance}}',
    },
    {
      expr: 'nodejs_heap_size_used_bytes and on (instance) idemscope_console_info',
      legend: 'heap {{instance}}',
    },
  ]),
  chart('Event loop delay, P99', 's', [
    {
      expr: 'nodejs_eventloop_lag_p99_seconds and on (instance) idemscope_console_info',
      legend: '{{instance}}',
    },
  ]),
]

export const DASHBOARDS = {
  'on-call': { title: 'Idemscope: on call', panels: ON_CALL, from: 'now-6h' },
  executive: { title: 'Idemscope: executive', panels: EXECUTIVE, from: 'now-30d' },
  debug: { title: 'Idemscope: debug', panels: DEBUG, from: 'now-6h' },
} as const

const COLUMNS = 24
const HEIGHT = { stat: 4, timeseries: 8, table: 8 }
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana.
const DATA_SOURCE = { type: 'prometheus', uid: '${datasource}' }

/** A dashboard as Grafana imports it. */
export function printDashboard(name: keyof typeof DASHBOARDS): string {
  const { title, panels, from } = DASHBOARDS[name]
  const dashboard = {
    uid: `idemscope-${name}`,
    title,
    description: 'Generated by `npm run deploy-files`: change jobs/deploy, not this file.',
    tags: ['idemscope'],
    schemaVersion: 38,
    editable: true,
    refresh: '30s',
    time: { from, to: 'now' },
    timezone: 'utc',
    templating: {
      list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' }],
    },
    panels: placed(panels).map(({ panel, x, y }, index) => grafanaPanel(panel, { x, y }, index + 1)),
  }
  return `${JSON.stringify(dashboard, null, 2)}\n`
}

/** From left to right, then below the tallest of the row. */
function placed(panels: readonly Panel[]) {
  let [x, y, tallest] = [0, 0, 0]
  return panels.map((panel) => {
    if (x + panel.width > COLUMNS) {
      y += tallest
      x = 0
      tallest = 0
    }
    const place = { panel, x, y }
    x += panel.width
    tallest = Math.max(tallest, HEIGHT[panel.type])
    return place
  })
}

function grafanaPanel(panel: Panel, { x, y }: { x: number; y: number }, id: number) {
  const { title, type, unit, targets, width, warn, bad } = panel
  const steps = [
    { color: 'green', value: null },
    ...(warn === undefined ? [] : [{ color: 'orange', value: warn }]),
    ...(bad === undefined ? [] : [{ color: 'red', value: bad }]),
  ]
  const isTable = type === 'table'
  return {
    id,
    title,
    type,
    datasource: DATA_SOURCE,
    gridPos: { x, y, w: width, h: HEIGHT[type] },
    targets: targets.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATA_SOURCE,
      expr,
      legendFormat: legend,
      ...(isTable ? { format: 'table', instant: true } : {}),
    })),
    fieldConfig: {
      defaults: {
        unit,
        noValue: 'not measured',
        thresholds: { mode: 'absolute', steps },
        ...(type === 'timeseries' && steps.length > 1
          ? { custom: { thresholdsStyle: { mode: 'dashed' } } }
          : {}),
      },
      overrides: [],
    },
    options: type === 'stat' ? { reduceOptions: { calcs: ['lastNotNull'] } } : {},
    ...(isTable
      ? {
          transformations: [
            {
              id: 'organize',
              options: { excludeByName: { Time: true, Value: true, __name__: true, job: true } },
            },
          ],
        }
      : {}),
  }
}
