import type { Metadata } from 'next'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { openPage, type PageProps } from '../../_page/open-page'
import { Page } from '../../_page/page-frame'
import { ConnectStore } from './connect-store'

export const metadata: Metadata = { title: 'Connect a store' }

export default async function ConnectPage(props: PageProps) {
  const { ctx, place, forbid } = await openPage('/sources/connect', props)
  const forbidden = forbid('source.manage')
  return (
    <Page
      title="Connect an idempotency store"
      path={[{ label: 'Sources', href: '/sources' }]}
      summary="Looks for the keys of the SDK and of the libraries it knows, for outboxes and for dead letters, and shows what it makes of real ones before anything is saved."
    >
      {forbidden === null ? (
        <ConnectStore place={place} />
      ) : (
        <Card id="forbidden" title="Not with your role">
          <EmptyState kind="forbidden" title={forbidden}>
            You are {ctx.actor.role}. An administrator can connect it here, or on the command line.
          </EmptyState>
        </Card>
      )}
    </Page>
  )
}
