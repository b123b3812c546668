import { Card } from '@/app/_ui/card'
import { ListRow } from '@/app/_ui/list-row'
import { StateMark } from '@/app/_ui/state-mark'
import { RowLink } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { countText, plural } from '@/lib/core/format-figure'
import { runTotals, systemResults } from '@/lib/reconcile/report/run-results'
import type { RunView } from '@/lib/runs/read'
import { RUN_STATE, verdictOf } from './labels'

/** Runs in flight and the latest; a bar where one is at work. */
export function RunsCard({ runs, names }: { runs: readonly RunView[]; names: ReadonlyMap<string, string> }) {
  return (
    <Card id="runs" title="Runs" aside={`latest ${runs.length}`}>
      <ul className="min-h-40">
        {runs.length === 0 && <li className="px-4 py-2 text-ink-2">No run yet.</li>}
        {runs.map((run) => (
          <RunRow key={run.id} run={run} names={names} />
        ))}
      </ul>
    </Card>
  )
}

function RunRow({ run, names }: { run: RunView; names: ReadonlyMap<string, string> }) {
  const active = run.state === 'queued' || run.state === 'running'
  const ended = verdictOf(run.outcome, systemResults(run.counts))?.standing ?? RUN_STATE[run.state].standing
  const by = run.requestedBy.startsWith('system:')
    ? 'by schedule'
    : `by ${names.get(run.requestedBy) ?? run.requestedBy}`
  return (
    <ListRow
      start={<StateMark standing={active ? 'unknown' : ended} />}
      below={
        <>
          {active ? RUN_STATE[run.state].text : said(run)}
          {active && <Progress value={run.progress} />}
        </>
      }
      end={<Time at={run.finishedAt ?? run.createdAt} kind="age" className="text-ink-3" />}
    >
      <RowLink to={`/reconciliation/runs/${run.id}`}>
        {run.dryRun ? 'Dry run' : 'Run'} {by}
      </RowLink>
    </ListRow>
  )
}

export function Progress({ value }: { value: number }) {
  const percent = Math.floor(value * 100)
  return (
    <div
      role="progressbar"
      aria-label="Progress of the run"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className="mt-1 h-1 overflow-hidden rounded-full bg-sunken"
    >
      <div className="h-full bg-accent" style={{ width: `${Math.max(2, percent)}%` }} />
    </div>
  )
}

function said(run: RunView): string {
  if (run.state === 'failed') return run.error ?? 'failed: see its log'
  if (run.state === 'cancelled') return 'cancelled'
  const results = systemResults(run.counts)
  if (results.length === 0) return 'nothing to compare: no source is connected'
  const { gross, breaks, pending } = runTotals(results)
  return `${plural(breaks, 'break')}, ${countText(pending)} pending in ${countText(gross)} compared`
}
