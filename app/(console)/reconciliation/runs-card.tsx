import { Card } from '@/app/_ui/card'
import { ListRow } from '@/app/_ui/list-row'
import { Progress } from '@/app/_ui/progress'
import { StateMark } from '@/app/_ui/state-mark'
import { RowLink } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { countText, plural } from '@/lib/core/format-figure'
import type { Names } from '@/lib/core/names'
import type { RunState } from '@/lib/core/states'
import type { Standing } from '@/lib/core/verdict'
import { runTotals, systemResults } from '@/lib/reconcile/report/run-results'
import { verdictOf } from '@/lib/reconcile/report/run-verdict'
import { byWhom, isActive, RUN_STATE_LABEL } from '@/lib/runs/describe-run'
import type { RunView } from '@/lib/runs/read'

/** Runs in flight and the latest; a bar where one is at work. */
export function RunsCard({ runs, names }: { runs: readonly RunView[]; names: Names }) {
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

function RunRow({ run, names }: { run: RunView; names: Names }) {
  const active = isActive(run)
  const ended = verdictOf(run.outcome, systemResults(run.counts))?.standing ?? STANDING[run.state]
  return (
    <ListRow
      start={<StateMark standing={ended} says={null} />}
      below={
        <>
          {active ? RUN_STATE_LABEL[run.state] : said(run)}
          {active && <Progress value={run.progress} label="Progress of the run" />}
        </>
      }
      end={<Time at={run.finishedAt ?? run.createdAt} kind="age" className="text-ink-3" />}
    >
      <RowLink to={`/reconciliation/runs/${run.id}`}>
        {run.dryRun ? 'Dry run' : 'Run'} {byWhom(run, names)}
      </RowLink>
    </ListRow>
  )
}

const STANDING: Record<RunState, Standing> = {
  queued: 'unknown',
  running: 'unknown',
  done: 'ok',
  failed: 'bad',
  cancelled: 'stale',
}

function said(run: RunView): string {
  if (run.state === 'failed') return run.error ?? 'Failed: see its log'
  if (run.state === 'cancelled') return RUN_STATE_LABEL.cancelled
  const results = systemResults(run.counts)
  if (results.length === 0) return 'nothing to compare: no source is connected'
  const { gross, breaks, pending } = runTotals(results)
  return `${plural(breaks, 'break')}, ${countText(pending)} pending in ${countText(gross)} compared`
}
