import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { buttonClass } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { classNames } from '@/app/_ui/class-names'
import { EmptyState } from '@/app/_ui/empty-state'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { Figures } from '@/app/_ui/figures'
import { countText, plural } from '@/app/_ui/format-figure'
import { moneyListText } from '@/app/_ui/money-text'
import { PageHeader } from '@/app/_ui/page-header'
import { PageLink } from '@/app/_ui/page-link'
import { cellClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { type DayEvents, type DayFigures, readDayFigures } from '@/lib/reconcile/report/day-figures'
import { requestNow } from '../../_shell/reads'
import { DayField } from './day-field'
import { EVENT } from './event-words'
import { askedDay, dayOf, loadReport } from './query'

export const metadata: Metadata = { title: 'Day report' }
export const dynamic = 'force-dynamic'

const DAY_MS = 86_400_000
const ORDER = Object.keys(EVENT)

export default async function ReportsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const asked = await searchParams
  const ctx = await guardPage('/reconciliation/reports', asked)
  const now = await requestNow()
  const today = dayOf(now)
  const day = askedDay((await loadReport(asked)).day, now)
  const figures = await readDayFigures(ctx.db, day)
  const at = Date.parse(`${day}T00:00:00Z`)
  const beside = (days: number) => `/reconciliation/reports?day=${dayOf(new Date(at + days * DAY_MS))}`
  return (
    <div className="grid gap-3">
      <PageHeader
        title={`Report of ${day}`}
        above={
          <PageLink href="/reconciliation" className="hover:underline">
            Reconciliation
          </PageLink>
        }
        summary={`${summaryOf(figures)} A day is of UTC${day === today ? '; this one is not over' : ''}.`}
        actions={
          <ExportButtons
            action="/reconciliation/reports/export"
            title="Every event of every case of the day; that you took it is recorded"
          />
        }
      />
      <div className="flex flex-wrap items-center gap-2">
        <PageLink href={beside(-1)} className={buttonClass()}>
          Day before
        </PageLink>
        <DayField day={day} max={today} />
        {day < today && (
          <PageLink href={beside(1)} className={buttonClass()}>
            Day after
          </PageLink>
        )}
      </div>
      <Card id="day" title="The day in figures" aside="a case counts once a line">
        <Figures figures={tiles(figures)} />
        {figures.events.length === 0 ? (
          <EmptyState kind="none" title="Nothing happened to any case">
            No case was opened, changed or closed on this day.
          </EmptyState>
        ) : (
          <EventTable events={figures.events} />
        )}
      </Card>
    </div>
  )
}

const casesOf = ({ events }: DayFigures, ...kinds: string[]): number =>
  events.filter(({ kind }) => kinds.includes(kind)).reduce((total, { cases }) => total + cases, 0)

function summaryOf(figures: DayFigures): string {
  const opened = figures.events.find(({ kind }) => kind === 'opened')
  const money =
    opened === undefined || opened.money.length === 0 ? '' : `, with ${moneyListText(opened.money)} in them`
  return `${plural(opened?.cases ?? 0, 'case was', 'cases were')} opened${money}; ${countText(casesOf(figures, 'resolved', 'close'))} closed.`
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

function EventTable({ events }: { events: readonly DayEvents[] }) {
  const sorted = [...events].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))
  return (
    <table className={classNames(tableClass, 'border-line border-t')}>
      <thead>
        <tr>
          <th scope="col" className={stillHeadClass()}>
            What happened
          </th>
          <th scope="col" className={stillHeadClass('text-right')}>
            Cases
          </th>
          <th scope="col" className={stillHeadClass('text-right')}>
            Money in them
          </th>
        </tr>
      </thead>
      <tbody>
        {sorted.map(({ kind, cases, money }) => (
          <tr key={kind} data-event={kind} className="hover:bg-sunken">
            <th scope="row" className={cellClass('h-9! text-left font-normal')}>
              {EVENT[kind] ?? kind.replaceAll('_', ' ')}
            </th>
            <td className={cellClass('h-9! text-right font-semibold')}>{countText(cases)}</td>
            <td className={cellClass('h-9! text-right text-ink-2 text-s')}>{moneyListText(money) || '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
