import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { buttonClass } from '@/app/_ui/button'
import { countText, plural } from '@/app/_ui/format-figure'
import { moneyListText } from '@/app/_ui/money-text'
import { PageHeader } from '@/app/_ui/page-header'
import { PageLink } from '@/app/_ui/page-link'
import { loadRange, resolveRange } from '@/app/_ui/time-range'
import { moneyToJson, sumByCurrency } from '@/lib/core/money'
import { leastRoleFor, roleAllows, type Verb } from '@/lib/core/permissions'
import { env } from '@/lib/env'
import type { CaseCounts } from '@/lib/reconcile/cases/count-cases'
import { requestNow } from '../_shell/reads'
import { ApprovalsCard } from './approvals-card'
import { CasesCard } from './cases-card'
import { ClassesCard } from './classes-card'
import { CoverageCard } from './coverage-card'
import { loadCases, loadStart } from './query'
import { readPage } from './read-page'
import { RunsCard } from './runs-card'
import { StartRun } from './start-run'
import { VerdictCard } from './verdict-card'

export const metadata: Metadata = { title: 'Reconciliation' }
export const dynamic = 'force-dynamic'

export default async function ReconciliationPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const asked = await searchParams
  const ctx = await guardPage('/reconciliation', asked)
  const now = await requestNow()
  const query = await loadCases(asked)
  const data = await readPage(ctx, query, now)
  const range = resolveRange(await loadRange(asked), now)
  const place = env().IDEMSCOPE_ENVIRONMENT
  const forbid = (verb: Verb) =>
    roleAllows(ctx.actor.role, verb) ? null : `Needs the ${leastRoleFor(verb)} role`
  return (
    <div className="grid gap-3">
      <PageHeader
        title="Reconciliation"
        summary={summaryOf(data.counts, data.approvals.items.length, data.verdict !== null)}
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
              environment={place}
            />
          </>
        }
      />
      <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_352px] [&>*]:min-w-0">
        <div className="grid min-w-0 gap-3">
          <VerdictCard run={data.verdict} />
          <ClassesCard counts={data.counts} />
        </div>
        <div className="grid min-w-0 gap-3">
          <ApprovalsCard actions={data.approvals.items} names={data.names} me={ctx.actor.userId} />
          <RunsCard runs={data.runs} names={data.names} />
          <CoverageCard sources={data.sources} coverage={data.coverage} />
        </div>
      </div>
      <CasesCard data={data} query={query} refusal={forbid('case.triage')} place={place.toUpperCase()} />
    </div>
  )
}

/** "12 cases are open, 4 of them P1, with €1,284.50 at risk. 2 corrections wait for approval." */
function summaryOf(counts: CaseCounts, waiting: number, compared: boolean): string {
  const open = counts.open + counts.snoozed
  if (open === 0 && waiting === 0 && !compared) return 'Nothing was compared yet.'
  if (open === 0 && waiting === 0) return 'No case is open and nothing waits for approval.'
  const p1 = counts.bySeverity.P1 ?? 0
  const money = sumByCurrency(
    counts.classes.flatMap(({ atRisk }) =>
      atRisk.map(({ minor, currency }) => ({ minor: BigInt(minor), currency })),
    ),
  ).map(moneyToJson)
  const risk = money.length === 0 ? '' : `, with ${moneyListText(money)} at risk`
  const cases = `${plural(open, 'case is', 'cases are')} open, ${countText(p1)} of them P1${risk}.`
  return waiting === 0
    ? cases
    : `${cases} ${plural(waiting, 'correction waits', 'corrections wait')} for approval.`
}
