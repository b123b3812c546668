import type { Metadata } from 'next'
import { ALERTS } from '@/lib/alerts/about'
import { CONDITION_KINDS } from '@/lib/core/verdict'
import { staleTelemetry } from '@/lib/telemetry/read/freshness'
import { openPage, type PageProps } from '../_page/open-page'
import { Page, TwoColumns } from '../_page/page-frame'
import { BudgetCard } from './budget-card'
import { FiringCard } from './firing-card'
import { HistoryCard } from './history-card'
import { ObjectivesCard } from './objectives-card'
import { type AlertsData, loadAlerts, readAlertsPage } from './read-page'
import { ReceiversCard } from './receivers-card'
import { SilenceDialog } from './silence-dialog'
import { SilencesCard } from './silences-card'

export const metadata: Metadata = { title: 'Alerts & SLOs' }

export default async function AlertsPage(props: PageProps) {
  const { ctx, asked, now, range, place, forbid } = await openPage('/alerts', props)
  const query = await loadAlerts(asked)
  const data = await readAlertsPage(ctx, query, range, now)
  const silencing = {
    kinds: CONDITION_KINDS.map((kind) => ({ value: kind, label: ALERTS[kind].title })),
    environments: data.environments,
    place,
    forbidden: forbid('alert.silence'),
  }
  return (
    <Page
      title="Alerts & SLOs"
      summary={summaryOf(data)}
      actions={<SilenceDialog {...silencing} opener="Silence alerts" />}
    >
      <FiringCard data={data} openId={query.open} silencing={silencing} />
      <ObjectivesCard
        objectives={data.objectives}
        chosen={query.objective}
        stale={staleTelemetry(data.freshness, range)}
      />
      <BudgetCard
        course={data.course}
        objective={data.objectives.find(({ id }) => id === query.objective)}
        marks={data.marks}
      />
      <TwoColumns>
        <SilencesCard
          page={data.silences}
          state={query.silences}
          people={data.people}
          forbidden={forbid('alert.silence')}
        />
        <ReceiversCard
          receivers={data.receivers}
          pages={data.pages}
          people={data.people}
          forbidden={{ test: forbid('alert.test'), manage: forbid('receiver.manage') }}
          place={place}
        />
      </TwoColumns>
      <HistoryCard page={data.history} query={query} />
    </Page>
  )
}

/** "2 alerts fire, 1 of them silenced; 2 of 8 objectives are missed in this range." */
function summaryOf({ firing, evaluated, objectives }: AlertsData): string {
  const silenced = firing.filter(({ silence }) => silence !== null).length
  const missed = objectives.filter(({ state }) => state === 'breach').length
  const unknown = objectives.filter(({ state }) => state === 'not measured').length
  const fires =
    firing.length === 0
      ? evaluated
        ? 'Nothing fires'
        : 'Alerts are not evaluated yet'
      : `${firing.length === 1 ? '1 alert fires' : `${firing.length} alerts fire`}${silenced > 0 ? `, ${silenced} of them silenced` : ''}`
  const unmeasured = unknown === 0 ? '' : `, ${unknown} not measured`
  return `${fires}; ${missed} of ${objectives.length} objectives missed in this range${unmeasured}.`
}
