import type { Metadata } from 'next'
import { buttonClass } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { DayField } from '@/app/_ui/day-field'
import { EmptyState } from '@/app/_ui/empty-state'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { Figures } from '@/app/_ui/figures'
import { moneyListText } from '@/app/_ui/money-text'
import { PageLink } from '@/app/_ui/page-link'
import { type Column, Table } from '@/app/_ui/table'
import { countText, plural } from '@/lib/core/format-figure'
import { type DayEvents, type DayFigures, readDayFigures } from '@/lib/reconcile/report/day-figures'
import { openPage, type PageProps } from '../../_page/open-page'
import { Page } from '../../_page/page-frame'
import { askedDay, dayOf, loadReport } from './query'

export const metadata: Metadata = { title: 'Day report' }

/** What happened to a case, as the day's table names it, in its order. */
const EVENT: Record<string, string> = {
  opened: 'Opened',
  reopened: 'Reopened',
  class_changed: 'Became another class',
  evidence_changed: 'Got other evidence',
  resolved: 'Resolved by itself',
  close: 'Closed by hand',
  proposed: 'Correction proposed',
  approved: 'Correction approved',
  done: 'Correction executed',
  refused: 'Correction refused',
  failed: 'Correction failed',
  unknown: 'Outcome unknown for a while',
  rejected: 'Correction rejected',
  withdrawn: 'Correction withdrawn',
  acknowledge: 'Acknowledged',
  assign: 'Assigned',
  snooze: 'Snoozed',
  undo: 'Triage taken back',
  comment: 'Commented on',
  rehomed: 'Merged with an older operation',
}
const ORDER = Object.keys(EVENT)

const DAY_MS = 86_400_000

export default async function ReportsPage(props: PageProps) {
  const { ctx, asked, now } = await openPage('/reconciliation/reports', props)
  const today = dayOf(now)
  const day = askedDay((await loadReport(asked)).day, now)
  const figures = await readDayFigures(ctx.db, day)
  const at = Date.parse(`${day}T00:00:00Z`)
  const beside = (days: number) => `/reconciliation/reports?day=${dayOf(new Date(at + days * DAY_MS))}`
  return (
    <Page
      title={`Report of ${day}`}
      path={[{ label: 'Reconciliation', href: '/reconciliation' }]}
      summary={`${summaryOf(figures)} A day is of UTC${day === today ? '; this one is not over' : ''}.`}
      actions={
        <ExportButtons
          action="/reconciliation/reports/export"
          title="Every event of every case of the day; that you took it is recorded"
        />
      }
    >
      <div className="flex flex-wrap items-center gap-2">
        <PageLink href={beside(-1)} className={buttonClass()}>
          Day before
        </PageLink>
        <DayField name="day" day={day} max={today} />
        {day < today && (
          <PageLink href={beside(1)} className={buttonClass()}>
            Day after
          </PageLink>
        )}
      </div>
      <Card id="day" title="The day in figures" aside="a case counts once a line">
        <Figures figures={tiles(figures)} />
        {figures.events.length === 0 ? (
          <NoEvents complete={completeRuns(figures) > 0} />
        ) : (
          <Table
            columns={COLUMNS}
            rows={figures.events.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))}
            id={({ kind }) => kind}
            lines={1}
            className="border-line border-t"
          />
        )}
      </Card>
    </Page>
  )
}

function NoEvents({ complete }: { complete: boolean }) {
  return complete ? (
    <EmptyState kind="none" title="Nothing happened to any case">
      No case was opened, changed or closed on this day.
    </EmptyState>
  ) : (
    <EmptyState kind="waiting" title="No run was complete on this day">
      No case was opened, changed or closed, but differences may not have been found.
    </EmptyState>
  )
}

const completeRuns = ({ runs }: DayFigures): number =>
  runs.filter(({ outcome }) => outcome !== 'incomplete').reduce((total, { count }) => total + count, 0)

const casesOf = ({ events }: DayFigures, ...kinds: string[]): number =>
  events.filter(({ kind }) => kinds.includes(kind)).reduce((total, { cases }) => total + cases, 0)

function summaryOf(figures: DayFigures): string {
  const opened = figures.events.find(({ kind }) => kind === 'opened')
  const money =
    opened === undefined || opened.money.length === 0 ? '' : `, with ${moneyListText(opened.money)} in them`
  return `${plural(opened?.cases ?? 0, 'case was', 'cases were')} opened${money}; ${countText(casesOf(figures, 'resolved', 'close'))} closed.${completeRuns(figures) > 0 ? '' : ' No run was complete.'}`
}

function tiles(figures: DayFigures) {
  const runs = figures.runs.reduce((total, { count }) => total + count, 0)
  const incomplete = figures.runs.find(({ outcome }) => outcome === 'incomplete')?.count ?? 0
  const figure = (name: string, note: string, ...kinds: string[]) => ({
    name,
    value: countText(casesOf(figures, ...kinds)),
    note,
  })
  return [
    figure('Opened', 'new cases', 'opened'),
    figure('Reopened', 'closed before', 'reopened'),
    figure('Resolved', 'by themselves', 'resolved'),
    figure('Closed', 'by hand', 'close'),
    figure('Corrected', 'executed', 'done'),
    {
      name: 'Runs',
      value: countText(runs),
      note: `${countText(incomplete)} incomplete, ${countText(figures.dryRuns)} dry`,
      tone: incomplete > 0 ? ('warn' as const) : undefined,
    },
  ]
}

const COLUMNS: Column<DayEvents>[] = [
  { head: 'What happened', names: true, cell: ({ kind }) => EVENT[kind] ?? kind.replaceAll('_', ' ') },
  { head: 'Cases', align: 'right', className: 'font-semibold', cell: ({ cases }) => countText(cases) },
  {
    ...{ head: 'Money in them', align: 'right', className: 'text-ink-2 text-s' },
    cell: ({ money }) => moneyListText(money) || '–',
  },
]
