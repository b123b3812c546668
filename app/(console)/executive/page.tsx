import type { Metadata } from 'next'
import { ViewChip } from '@/app/_ui/facet-chips'
import { dayText } from '@/app/_ui/format-time'
import { Note, type NoteTone } from '@/app/_ui/note'
import { PrintButton } from '@/app/_ui/print-button'
import type { Sentence } from '@/lib/insight/executive/executive'
import { lastDays, readExecutive } from '@/lib/insight/executive/read-executive'
import { openPage, type PageProps } from '../_page/open-page'
import { Page, TwoColumns } from '../_page/page-frame'
import { BudgetsCard } from './budgets-card'
import { CostsCard } from './costs-card'
import { FiguresCard } from './figures-card'
import { MonthsCard } from './months-card'
import { loadQuery, PERIOD_NAMES, PERIODS } from './query'
import { TrendCard } from './trend-card'

export const metadata: Metadata = { title: 'Executive' }

const TONE: Record<Sentence['tone'], NoteTone> = { ok: 'ok', warn: 'warn', bad: 'bad', unknown: 'quiet' }

export default async function ExecutivePage(props: PageProps) {
  const { ctx, asked, now, place } = await openPage('/executive', props)
  const { period } = await loadQuery(asked)
  const executive = await readExecutive(ctx, lastDays(now, PERIODS[period].days))
  const { from, to, sentence } = executive
  return (
    <Page
      title="Executive"
      summary={`${place}, ${dayText(new Date(from), 'utc')} to ${dayText(new Date(to), 'utc')}, days in UTC. The range of the bar does not apply here.`}
      actions={
        <>
          {PERIOD_NAMES.map((name) => (
            <ViewChip
              key={name}
              set={{ period: name === 'month' ? null : name }}
              chosen={name === period}
              label={PERIODS[name].label}
            />
          ))}
          <PrintButton />
        </>
      }
    >
      <Note tone={TONE[sentence.tone]}>
        <p data-sentence={sentence.tone} className="font-semibold text-l">
          {sentence.text}
        </p>
      </Note>
      <FiguresCard executive={executive} />
      <TrendCard executive={executive} now={now} />
      <TwoColumns>
        <CostsCard executive={executive} />
        <BudgetsCard budgets={executive.budgets} />
      </TwoColumns>
      <MonthsCard months={executive.months} />
    </Page>
  )
}
