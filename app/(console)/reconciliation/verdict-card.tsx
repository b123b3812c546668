import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { PageLink } from '@/app/_ui/page-link'
import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
import { runTotals, systemResults } from '@/lib/reconcile/report/run-results'
import type { RunView } from '@/lib/runs/read'
import { INCOMPLETE, verdictOf } from './labels'
import { RunFigures } from './run-figures'

/** What the last run that counts says. */
export function VerdictCard({ run }: { run: RunView | null }) {
  const results = run === null ? [] : systemResults(run.counts)
  if (run === null || results.length === 0) {
    return (
      <Card id="verdict" title="Last run">
        <EmptyState kind="waiting" title="Nothing was compared yet">
          Runs start by themselves once a store and a provider are connected; or start one now.
        </EmptyState>
      </Card>
    )
  }
  const verdict = verdictOf(run.outcome, results) ?? INCOMPLETE
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
      <p className="flex items-center gap-2 px-4 pt-1 pb-2 font-medium text-l">
        <StateMark standing={verdict.standing} size={16} /> {verdict.text}
      </p>
      {failures.map(({ name, message }) => (
        <p key={name} className="px-4 pb-2 text-warn-ink">
          {name}: {message}
        </p>
      ))}
      <div className="border-line border-t">
        <RunFigures totals={runTotals(results)} />
      </div>
    </Card>
  )
}
