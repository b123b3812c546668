import type { Metadata } from 'next'
import { moneyText } from '@/app/_ui/money-text'
import { Time } from '@/app/_ui/time'
import { listUsers } from '@/lib/access/users'
import { CASE_CLASSES } from '@/lib/core/case-classes'
import { namesOf } from '@/lib/core/names'
import { readCaseAttempts } from '@/lib/reconcile/cases/case-attempts'
import { type CaseDetail, getCase } from '@/lib/reconcile/cases/cases'
import { compareSides } from '@/lib/reconcile/cases/compare-sides'
import { moneyRows } from '@/lib/reconcile/cases/money-rows'
import { readCaseSides } from '@/lib/reconcile/cases/read-case-sides'
import { canUndo } from '@/lib/reconcile/triage/undo-triage'
import { missing, openPage, type PageProps } from '../../../_page/open-page'
import { Page } from '../../../_page/page-frame'
import { SeverityBadge } from '../../../_page/severity-badge'
import { TRIAGE } from '../../labels'
import { AttemptsCard } from './attempts-card'
import { CorrectionCard } from './correction-card'
import { HistoryCard } from './history-card'
import { MoneyCard } from './money-card'
import { SidesCard } from './sides-card'
import { TriageBar } from './triage-bar'

export const metadata: Metadata = { title: 'Case' }

export default async function CasePage(props: PageProps<{ id: string }>) {
  const { id } = await props.params
  const { ctx, place, forbid } = await openPage(`/reconciliation/cases/${id}`, props)
  const found = await getCase(ctx.db, id).catch(missing)
  const [sides, users] = await Promise.all([readCaseSides(ctx.db, id), listUsers(ctx.db)])
  const { aspect } = CASE_CLASSES[found.class]
  const attempts = await readCaseAttempts(ctx, sides, aspect)
  const names = namesOf(users)
  const people = users.filter(({ service, banned }) => !service && !banned)
  return (
    <Page
      title={found.title}
      path={[
        { label: 'Reconciliation', href: '/reconciliation' },
        { label: 'Cases', href: '/reconciliation#cases' },
        { id: found.id },
      ]}
      beside={<SeverityBadge severity={found.severity} />}
      summary={
        <Standing
          found={found}
          owner={found.owner === null ? null : (names.get(found.owner) ?? found.owner)}
        />
      }
      actions={
        <TriageBar
          found={found}
          people={people}
          undoable={canUndo(found.events, ctx.actor)}
          forbidden={forbid('case.triage')}
        />
      }
    >
      <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_352px] xl:grid-rows-[auto_auto_1fr] [&>*]:min-w-0">
        <SidesCard
          rows={compareSides(sides, aspect)}
          sources={sides.sources}
          comparedAt={found.resolvedAt ?? found.lastSeen}
          resolved={found.lifecycle === 'resolved'}
        />
        {/* On a phone right after what the sides say: there it is approved. */}
        <div className="h-full xl:col-start-2 xl:row-span-3 xl:row-start-1">
          <CorrectionCard found={found} me={ctx.actor.userId} people={people} place={place} forbid={forbid} />
        </div>
        <div className="grid gap-3 [&>*]:min-w-0">
          {moneyRows(found.evidence).map((money) => (
            <MoneyCard key={money.charge} {...money} />
          ))}
          <AttemptsCard found={attempts} />
        </div>
        <HistoryCard events={found.events} names={names} />
      </div>
    </Page>
  )
}

/** €89.90 at risk · persisting · opened 02:47 · owner operator-1 */
function Standing({ found, owner }: { found: CaseDetail; owner: string | null }) {
  const { amount, lifecycle, outcome, triage } = found
  return (
    <p>
      {amount !== null && `${moneyText(amount)} ${lifecycle === 'resolved' ? 'was at risk' : 'at risk'} · `}
      {outcome === 'pending' && 'pending · '}
      {lifecycle} · opened <Time at={found.firstSeen} /> ·{' '}
      {owner === null ? TRIAGE[triage] : `owner ${owner}`}
      {triage === 'snoozed' && found.snoozedUntil !== null && (
        <>
          {' '}
          until <Time at={found.snoozedUntil} />
        </>
      )}
    </p>
  )
}
