import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { PageLink } from '@/app/_ui/page-link'
import { type Column, Table } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { caseTitle, findCaseClass } from '@/lib/core/case-classes'
import { countText, plural } from '@/lib/core/format-figure'
import type { SystemResult } from '@/lib/reconcile/report/run-results'
import { SeverityBadge } from '../../../_page/severity-badge'

/** What a run found in one system, class by class, and what became of its cases. */
export function SystemCard({ result, dryRun }: { result: SystemResult; dryRun: boolean }) {
  const classes = Object.entries(result.byClass).map(([name, counts]) => ({ name, ...counts }))
  const moved = [
    ['Open before', result.openBefore],
    ['Opened', result.opened],
    ['Reopened', result.reopened],
    ['Resolved', result.resolved],
    ['Open now', result.open],
  ] as const
  return (
    <Card
      id={`system-${result.system}`}
      title={result.system}
      aside={
        <>
          as of <Time at={result.asOf} kind="seconds" />
        </>
      }
    >
      {result.failures.map(({ name, message }) => (
        <p key={name} className="px-4 pb-2 text-warn-ink">
          {name}: {message}
        </p>
      ))}
      {result.unreadable.count > 0 && (
        <p className="px-4 pb-2 text-warn-ink">
          {plural(result.unreadable.count, 'object')} could not be read:{' '}
          {result.unreadable.examples.map(({ id, reason }) => `${id} (${reason})`).join(', ')}
        </p>
      )}
      {result.floods.map(({ class: name, wouldOpen, room }) => (
        <p key={name} className="px-4 pb-2 text-bad-ink">
          Case flood: {plural(wouldOpen, 'new case')} of “{caseTitle(name)}” from one source,{' '}
          {room === 0 ? 'none' : `at most ${countText(room)}`} opened. Look at the source first. Other classes
          are not held up.
        </p>
      ))}
      {!dryRun && result.openBefore !== undefined && (
        <dl className="flex flex-wrap gap-x-8 gap-y-1 px-4 pb-3">
          {moved.map(([name, value]) => (
            <div key={name} className="flex gap-2">
              <dt className="text-ink-2">{name}</dt>
              <dd className="font-semibold">{value === undefined ? '–' : countText(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      {classes.length === 0 ? (
        <EmptyState kind="none" title="Nothing in it disagrees" />
      ) : (
        <Table columns={COLUMNS} rows={classes} id={({ name }) => name} lines={1} />
      )}
    </Card>
  )
}

const COLUMNS: Column<{ name: string; pending: number; breaks: number }>[] = [
  {
    head: 'Class',
    names: true,
    cell: ({ name }) => {
      const severity = findCaseClass(name)?.severity
      return (
        <PageLink
          href={`/reconciliation?class=${name}`}
          className="inline-flex items-center gap-2 hover:underline"
        >
          {severity !== undefined && <SeverityBadge severity={severity} />}
          {caseTitle(name)}
        </PageLink>
      )
    },
  },
  { head: 'Pending', align: 'right', cell: ({ pending }) => figure(pending) },
  { head: 'Breaks', align: 'right', className: 'font-semibold', cell: ({ breaks }) => figure(breaks) },
]

const figure = (count: number) =>
  count === 0 ? <span className="font-normal text-ink-3">0</span> : countText(count)
