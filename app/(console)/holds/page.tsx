import type { Metadata } from 'next'
import { plural } from '@/lib/core/format-figure'
import { openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { HoldDialog } from './hold-dialog'
import { EndedCard, InForceCard } from './holds-card'
import { type HoldsData, readHoldsPage } from './read-page'

export const metadata: Metadata = { title: 'Holds' }

export default async function HoldsPage(props: PageProps) {
  const holds = await readHoldsPage(await openPage('/holds', props))
  return (
    <Page
      title="Holds"
      summary={`${heldText(holds)} A hold stops new executions in the service’s own store, until it ends or is lifted.`}
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

function heldText({ stores, inForce: { items, unread } }: HoldsData): string {
  if (items.length > 0) return `${plural(items.length, 'hold')} in force.`
  if (stores.length === 0) return 'No connected store keeps holds: nothing can be held.'
  return unread.length === 0 ? 'Nothing is held.' : 'Not known everywhere: a store could not be read.'
}
