import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { Figures } from '@/app/_ui/figures'
import { moneyListText } from '@/app/_ui/money-text'
import { PageLink } from '@/app/_ui/page-link'
import { Progress } from '@/app/_ui/progress'
import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
import { countText } from '@/lib/core/format-figure'
import { runTotals, type SystemResult, systemResults } from '@/lib/reconcile/report/run-results'
import { INCOMPLETE, type RunVerdict, verdictOf } from '@/lib/reconcile/report/run-verdict'
import { isActive, RUN_STATE_LABEL } from '@/lib/runs/describe-run'
import type { RunView } from '@/lib/runs/read'

/** What the last run that counts says. */
export function LastVerdictCard({ run }: { run: RunView | null }) {
  const results = run === null ? [] : systemResults(run.counts)
  if (run === null || results.length === 0) {
    return (
      <Card id="verdict" title="Last run">
        <EmptyState kind="waiting" title="Nothing was compared yet">
          Runs start by themselves once a store and a provider are connected.
        </EmptyState>
      </Card>
    )
  }
  const failures = results.flatMap((result) => result.failures)
  return (
    <Card
      id="verdict"
      title="Last run"
      aside={
        <>
          {results.map(({ system }) => system).join(', ')}, ended{' '}
          <Time at={run.finishedAt ?? run.createdAt} kind="ago" /> ·{' '}
          <PageLink href={`/reconciliation/runs/${run.id}`} look="inline">
            details
          </PageLink>
        </>
      }
    >
      <div className="px-4 pt-1 pb-2">
        <Verdict verdict={verdictOf(run.outcome, results) ?? INCOMPLETE} />
      </div>
      {failures.map(({ name, message }) => (
        <p key={name} className="px-4 pb-2 text-warn-ink">
          {name}: {message}
        </p>
      ))}
      <RunFigures results={results} />
    </Card>
  )
}

/** What a run says, or how far it is. */
export function VerdictCard({ run, results }: { run: RunView; results: readonly SystemResult[] }) {
  const verdict = verdictOf(run.outcome, results)
  return (
    <Card id="verdict" title="Verdict">
      <div className="px-4 pb-3">
        {isActive(run) ? (
          <>
            <p role="status">
              {run.state === 'queued'
                ? 'Waiting for a worker.'
                : `${Math.floor(run.progress * 100)} % of the systems are compared.`}
            </p>
            <Progress value={run.progress} label="Progress of the run" />
          </>
        ) : run.state === 'failed' ? (
          <p className="text-bad-ink">It failed: {run.error ?? 'see the log below'}. Nothing was resolved.</p>
        ) : verdict !== null ? (
          <Verdict verdict={verdict} />
        ) : (
          <p>{RUN_STATE_LABEL[run.state]}</p>
        )}
      </div>
      {results.length > 0 && <RunFigures results={results} />}
    </Card>
  )
}

const Verdict = ({ verdict }: { verdict: RunVerdict }) => (
  <p className="flex items-center gap-2 font-medium text-l">
    <StateMark standing={verdict.standing} size={16} /> {verdict.text}
  </p>
)

/** Gross and net of a run, side by side: what was compared, what agrees, what does not, and its money. */
function RunFigures({ results }: { results: readonly SystemResult[] }) {
  const { gross, matched, pending, breaks, warnings, net, atRisk } = runTotals(results)
  return (
    <div className="border-line border-t">
      <Figures
        figures={[
          { name: 'Compared', value: countText(gross), note: 'operations, gross' },
          { name: 'Matched', value: countText(matched), note: `of ${countText(gross)}` },
          { name: 'Pending', value: countText(pending), note: 'expected, in grace' },
          {
            name: 'Breaks',
            value: countText(breaks),
            note: breaks === 0 ? 'none' : 'need a person',
            tone: breaks > 0 ? 'bad' : undefined,
          },
          { name: 'Warnings', value: countText(warnings), note: 'P3 and below' },
          { name: 'Net', value: countText(net), note: 'operations that do not agree' },
        ]}
      />
      {atRisk.length > 0 && (
        <p className="border-line border-t px-4 py-2 text-ink-2">
          In breaks: <span className="font-medium text-ink">{moneyListText(atRisk)}</span>
        </p>
      )}
    </div>
  )
}
