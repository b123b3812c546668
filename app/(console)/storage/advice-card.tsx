import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { DurationField } from '@/app/_ui/duration-field'
import { EmptyState } from '@/app/_ui/empty-state'
import { CheckField } from '@/app/_ui/field'
import { type Column, figureColumn, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { countText, durationText, latencyText } from '@/lib/core/format-figure'
import { nullWhenCanceled } from '@/lib/core/sql-state'
import { adviseTtl, type RetryWindow } from '@/lib/retention/advise'
import { defaultPolicy } from '@/lib/retention/policy/policies'
import { proposeSeen } from './actions'
import type { StorageData } from './read-page'

const ENDPOINTS_SHOWN = 20

/** How long clients go on retrying, and the TTL that this implies. Reads all keys of the range: it comes when it comes. */
export async function AdviceCard(storage: StorageData) {
  const advice = await adviseTtl(storage.ctx.db, storage.range).catch(nullWhenCanceled)
  const endpoints = (advice ?? []).filter(({ client }) => client === '').slice(0, ENDPOINTS_SHOWN)
  return (
    <TableCard
      id="advice"
      title="TTL advice"
      aside="from the retries seen in the range"
      scrolls="TTL advice, table"
      columns={columnsOf(storage)}
      rows={endpoints}
      rowId={({ endpoint }) => endpoint}
      empty={
        advice === null ? (
          <EmptyState kind="timeout" title="The range holds too many keys to look through">
            Stopped after 20 s: choose a shorter range.
          </EmptyState>
        ) : (
          <EmptyState kind="waiting" title="Not measured: no key was seen in this range">
            Advice needs telemetry of keys that came more than once. Widen the range if some came before.
          </EmptyState>
        )
      }
    />
  )
}

/** Of keys that never came twice nothing follows. */
const implied = (head: string, text: (advice: RetryWindow) => string, className?: string) =>
  figureColumn<RetryWindow>(head, (advice) => (advice.retriedKeys === 0 ? '–' : text(advice)), {
    ...(className === undefined ? {} : { className }),
  })

const columnsOf = (storage: StorageData): Column<RetryWindow>[] => [
  {
    head: 'Endpoint',
    names: true,
    cell: ({ endpoint, uncertain, retriedKeys }) => (
      <>
        <span className="block whitespace-nowrap font-mono text-s">{endpoint}</span>
        {uncertain && retriedKeys > 0 && <Badge title="Fewer than 1,000 keys were retried">Uncertain</Badge>}
      </>
    ),
  },
  figureColumn('Retried keys', ({ retriedKeys, keys }) => (
    <TwoLines below={`of ${countText(keys)}`}>{countText(retriedKeys)}</TwoLines>
  )),
  implied('P99', ({ p99Ms }) => latencyText(p99Ms)),
  implied('Longest', ({ maxMs }) => latencyText(maxMs)),
  figureColumn('TTL now', ({ ttlMs }) =>
    ttlMs === null ? <span className="text-ink-3">not reported</span> : durationText(ttlMs),
  ),
  implied('Implied', ({ impliedTtlMs }) => durationText(impliedTtlMs), 'font-semibold'),
  figureColumn('After TTL', ({ expiredRetriesNow }) => countText(expiredRetriesNow)),
  implied('Rows held', ({ rowsHeldDelta }) => deltaText(rowsHeldDelta)),
  {
    head: 'Propose',
    shown: null,
    align: 'right',
    cell: (advice) => <ProposeAdvised advice={advice} {...storage} />,
  },
]

function ProposeAdvised({
  advice,
  range,
  collectable,
  byRows,
  forbid,
  place,
}: StorageData & { advice: RetryWindow }) {
  const { endpoint, retriedKeys, impliedTtlMs } = advice
  /** Whose TTL a policy can set; of others the service sets it itself. */
  const store = collectable.find(({ id }) => byRows.has(id))
  const why =
    retriedKeys === 0
      ? 'No key of it came twice in this range: nothing follows from that'
      : store === undefined
        ? 'The service sets this TTL itself: registerTier(name, ttlMs) of the SDK'
        : forbid('retention.run')
  return (
    <ActionDialog
      opener="Propose this policy"
      openerLook="quiet"
      forbidden={why}
      title={`Propose ${durationText(impliedTtlMs)} for ${endpoint} in ${place}`}
      lead="Nothing changes until a second person approves. The figures above become its reason."
      confirm="Propose 1 policy"
      action={proposeSeen.bind(null, {
        source: store?.id ?? '',
        endpoint,
        from: range.from.toISOString(),
        to: range.to.toISOString(),
      })}
    >
      <DurationField name="safety" label="Safety buffer" valueMs={defaultPolicy().safetyMs} />
      <CheckField name="archive" label="Write an archive first" />
    </ActionDialog>
  )
}

function deltaText(delta: number | null): string {
  if (delta === null) return '–'
  return delta > 0 ? `+${countText(delta)}` : countText(delta).replace('-', '−')
}
