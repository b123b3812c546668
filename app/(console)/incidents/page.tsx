import type { Metadata } from 'next'
import { plural } from '@/lib/core/format-figure'
import { openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { IncidentsCard } from './incidents-card'
import { OpenIncidentDialog } from './open-dialog'
import { readIncidentsPage } from './read-page'

export const metadata: Metadata = { title: 'Incidents' }

export default async function IncidentsPage(props: PageProps) {
  const incidents = await readIncidentsPage(await openPage('/incidents', props))
  const { open, systems, place, mayManage, evaluated } = incidents
  return (
    <Page
      title="Incidents"
      summary={`${open.length === 0 ? 'None is open here.' : `${plural(open.length, 'incident')} not closed.`} ${evaluated ? 'A page opens one; alerts of the same cause join it.' : 'Alerts are not evaluated yet.'}`}
      actions={<OpenIncidentDialog systems={systems} seen={open} place={place} forbidden={mayManage} />}
    >
      <IncidentsCard {...incidents} />
    </Page>
  )
}
