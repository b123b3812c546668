import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { countText, plural } from '@/app/_ui/format-figure'
import { PageLink } from '@/app/_ui/page-link'
import { cellClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { CASE_CLASSES, type CaseClass } from '@/lib/core/case-classes'
import type { SystemResult } from '../../run-counts'
import { severityTone } from '../../words'

/** What a run found in one system, class by class, and what became of its cases. */
export function SystemCard({ result, dryRun }: { result: SystemResult; dryRun: boolean }) {
  const classes = Object.entries(result.byClass)
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
          Case flood: {plural(wouldOpen, 'new case')} of “{titleOf(name)}” from one source,{' '}
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
        <ClassTable classes={classes} />
      )}
    </Card>
  )
}

function ClassTable({ classes }: { classes: [string, { pending: number; breaks: number }][] }) {
  return (
    <table className={tableClass}>
      <thead>
        <tr>
          <th scope="col" className={stillHeadClass()}>
            Class
          </th>
          <th scope="col" className={stillHeadClass('text-right')}>
            Pending
          </th>
          <th scope="col" className={stillHeadClass('text-right')}>
            Breaks
          </th>
        </tr>
      </thead>
      <tbody>
        {classes.map(([name, { pending, breaks }]) => (
          <tr key={name} className="hover:bg-sunken">
            <th scope="row" className={cellClass('h-9! text-left font-normal')}>
              <PageLink
                href={`/reconciliation?class=${name}`}
                className="inline-flex items-center gap-2 hover:underline"
              >
                {name in CASE_CLASSES && (
                  <Badge tone={severityTone(CASE_CLASSES[name as CaseClass].severity)}>
                    {CASE_CLASSES[name as CaseClass].severity}
                  </Badge>
                )}
                {titleOf(name)}
              </PageLink>
            </th>
            <td className={cellClass('h-9! text-right')}>{figure(pending)}</td>
            <td className={cellClass('h-9! text-right font-semibold')}>{figure(breaks)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const titleOf = (name: string): string =>
  name in CASE_CLASSES ? CASE_CLASSES[name as CaseClass].title : name

const figure = (count: number) =>
  count === 0 ? <span className="font-normal text-ink-3">0</span> : countText(count)
