import { Card } from '@/app/_ui/card'
import { StateMark } from '@/app/_ui/state-mark'
import { runTotals, type SystemResult } from '@/lib/reconcile/report/run-results'
import type { RunView } from '@/lib/runs/read'
import { RUN_STATE, verdictOf } from '../../labels'
import { RunFigures } from '../../run-figures'
import { Progress } from '../../runs-card'

/** What the run says, or how far it is. */
export function RunVerdict({ run, results }: { run: RunView; results: readonly SystemResult[] }) {
  const active = run.state === 'queued' || run.state === 'running'
  const verdict = verdictOf(run.outcome, results)
  return (
    <Card id="verdict" title="Verdict">
      <div className="px-4 pb-3">
        {active ? (
          <>
            <p role="status">
              {run.state === 'queued'
                ? 'Waiting for a worker.'
                : `${Math.floor(run.progress * 100)} % of the systems are compared.`}
            </p>
            <Progress value={run.progress} />
          </>
        ) : run.state === 'failed' ? (
          <p className="text-bad-ink">It failed: {run.error ?? 'see the log below'}. Nothing was resolved.</p>
        ) : verdict !== null ? (
          <p className="flex items-center gap-2 font-medium text-l">
            <StateMark standing={verdict.standing} size={16} /> {verdict.text}
          </p>
        ) : (
          <p>{RUN_STATE[run.state].text}</p>
        )}
      </div>
      {results.length > 0 && (
        <div className="border-line border-t">
          <RunFigures totals={runTotals(results)} />
        </div>
      )}
    </Card>
  )
}
