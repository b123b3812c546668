import type { Metadata } from 'next'
import { buttonClass } from '@/app/_ui/button'
import { moneyListText } from '@/app/_ui/money-text'
import { PageLink } from '@/app/_ui/page-link'
import { countText, plural } from '@/lib/core/format-figure'
import { sumMoneyJson } from '@/lib/core/money'
import type { CaseCounts } from '@/lib/reconcile/cases/count-cases'
import { openPage, type PageProps } from '../_page/open-page'
import { BesideEachOther, Page } from '../_page/page-frame'
import { ApprovalsCard } from './approvals-card'
import { CasesCard } from './case-list/cases-card'
import { ClassesCard } from './classes-card'
import { CoverageCard } from './coverage-card'
import { loadCases, loadStart } from './query'
import { readPage } from './read-page'
import { RunsCard } from './runs-card'
import { StartRun } from './start/start-run'
import { LastVerdictCard } from './verdict-card'

export const metadata: Metadata = { title: 'Reconciliation' }

export default async function ReconciliationPage(props: PageProps) {
  const { ctx, asked, now, range, place, forbid } = await openPage('/reconciliation', props)
  const query = await loadCases(asked)
  const data = await readPage(ctx, query, now)
  return (
    <Page
      title="Reconciliation"
      summary={summaryOf(data.counts, data.approvals.items.length, data.compared)}
      actions={
        <>
          <PageLink href="/reconciliation/rules" className={buttonClass()}>
            Rules
          </PageLink>
          <PageLink href="/reconciliation/reports" className={buttonClass()}>
            Day report
          </PageLink>
          <StartRun
            sources={data.sources}
            outages={data.outages}
            range={{ from: range.from.toISOString(), to: range.to.toISOString(), live: range.live }}
            asked={await loadStart(asked)}
            now={now}
            forbidden={forbid('run.start')}
            place={place}
          />
        </>
      }
    >
      <BesideEachOther
        side={
          <>
            <ApprovalsCard actions={data.approvals.items} names={data.names} me={ctx.actor.userId} />
            <RunsCard runs={data.runs} names={data.names} />
            <CoverageCard sources={data.sources} coverage={data.coverage} />
          </>
        }
      >
        <LastVerdictCard run={data.verdict} />
        <ClassesCard counts={data.counts} />
      </BesideEachOther>
      <CasesCard data={data} query={query} refusal={forbid('case.triage')} place={place} />
    </Page>
  )
}

/** "12 cases are open, 4 of them P1, with €1,284.50 at risk. 2 corrections wait for approval." */
function summaryOf(counts: CaseCounts, waiting: number, compared: boolean): string {
  const open = counts.open + counts.snoozed
  if (open === 0 && waiting === 0 && !compared) return 'Nothing was compared yet.'
  if (open === 0 && waiting === 0) return 'No case is open and nothing waits for approval.'
  const p1 = counts.bySeverity.P1 ?? 0
  const money = sumMoneyJson(counts.classes.flatMap(({ atRisk }) => atRisk))
  const risk = money.length === 0 ? '' : `, with ${moneyListText(money)} at risk`
  const cases = `${plural(open, 'case is', 'cases are')} open, ${countText(p1)} of them P1${risk}.`
  return waiting === 0
    ? cases
    : `${cases} ${plural(waiting, 'correction waits', 'corrections wait')} for approval.`
}
