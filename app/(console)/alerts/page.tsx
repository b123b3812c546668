import type { Metadata } from 'next'
import { buttonClass } from '@/app/_ui/button'
import { PageLink } from '@/app/_ui/page-link'
import { plural } from '@/lib/core/format-figure'
import { openPage, type PageProps } from '../_page/open-page'
import { Page, TwoColumns } from '../_page/page-frame'
import { BudgetCard } from './budget-card'
import { FiringCard } from './firing-card'
import { HistoryCard } from './history-card'
import { DeliveriesCard } from './notify/deliveries-card'
import { ReceiversCard } from './notify/receivers-card'
import { RoutesCard } from './notify/routes-card'
import { ObjectivesCard } from './objectives-card'
import { type AlertsData, readAlertsPage } from './read-page'
import { SilenceDialog } from './silence-dialog'
import { SilencesCard } from './silences-card'

export const metadata: Metadata = { title: 'Alerts & SLOs' }

export default async function AlertsPage(props: PageProps) {
  const alerts = await readAlertsPage(await openPage('/alerts', props))
  return (
    <Page
      title="Alerts & SLOs"
      summary={summaryOf(alerts)}
      actions={
        <>
          <PageLink href="/alerts/terms" className={buttonClass()}>
            What fires
          </PageLink>
          <SilenceDialog {...alerts.silencing} opener="Silence alerts" />
        </>
      }
    >
      <FiringCard {...alerts} />
      <ObjectivesCard {...alerts} />
      <BudgetCard {...alerts} />
      <TwoColumns>
        <SilencesCard {...alerts} />
        <ReceiversCard {...alerts} />
      </TwoColumns>
      <RoutesCard {...alerts} />
      <DeliveriesCard {...alerts} />
      <HistoryCard {...alerts} />
    </Page>
  )
}

/** "2 alerts fire, 1 of them silenced; 2 of 8 objectives are missed in this range." */
function summaryOf({ firing, evaluated, objectives }: AlertsData): string {
  const silenced = firing.filter(({ silence }) => silence !== null).length
  const missed = objectives.filter(({ state }) => state === 'breach').length
  const unknown = objectives.filter(({ state }) => state === 'not measured').length
  const none = evaluated ? 'Nothing fires' : 'Alerts are not evaluated yet'
  const some = plural(firing.length, 'alert fires', 'alerts fire')
  const fires = firing.length === 0 ? none : silenced === 0 ? some : `${some}, ${silenced} of them silenced`
  const unmeasured = unknown === 0 ? '' : `, ${unknown} not measured`
  return unknown === objectives.length
    ? `${fires}; none of the ${unknown} objectives is measured in this range.`
    : `${fires}; ${missed} of ${objectives.length} objectives missed in this range${unmeasured}.`
}
