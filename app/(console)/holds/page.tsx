import type { Metadata } from 'next'
import { plural } from '@/lib/core/format-figure'
import { openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { HoldDialog } from './hold-dialog'
import { EndedCard, InForceCard } from './holds-card'
import { readHoldsPage } from './read-page'

export const metadata: Metadata = { title: 'Holds' }

export default async function HoldsPage(props: PageProps) {
  const holds = await readHoldsPage(await openPage('/holds', props))
  const count = holds.inForce.items.length
  return (
    <Page
      title="Holds"
      summary={`${count === 0 ? 'Nothing is held.' : `${plural(count, 'hold')} in force.`} A hold stops new executions in the service’s own store, until it ends or is lifted.`}
      actions={
        <HoldDialog
          stores={holds.stores}
          given={holds.given}
          place={holds.place}
          forbidden={holds.mayPlace}
        />
      }
    >
      <InForceCard {...holds} />
      <EndedCard {...holds} />
    </Page>
  )
}
