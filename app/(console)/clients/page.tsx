import type { Metadata } from 'next'
import { CardFrame } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { ListTable } from '@/app/_ui/list-table'
import { PrintButton } from '@/app/_ui/print-button'
import { countText, plural } from '@/lib/core/format-figure'
import { type ClientsPage, readClients } from '@/lib/insight/clients/read-clients'
import { openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { clientColumns, clientId } from './client-columns'
import { KeysNote } from './keys-note'

export const metadata: Metadata = { title: 'Clients' }

export default async function ClientsPageView(props: PageProps) {
  const { ctx, range } = await openPage('/clients', props)
  const page = await readClients(ctx, range)
  return (
    <Page
      title="Clients"
      summary={summaryOf(page)}
      actions={
        <>
          <PrintButton />
          <ExportButtons
            action="/clients/export"
            title="The clients of this range; that you took them is recorded"
          />
        </>
      }
    >
      <KeysNote page={page} />
      <CardFrame label="Table of clients">
        <ListTable
          caption="Clients by how they send their keys"
          columns={clientColumns}
          rows={page.items}
          toolbar={<p className="text-ink-2 text-s">The worst findings first, then the busiest</p>}
          id={clientId}
          view={range.preset ?? `${range.from.toISOString()} ${range.to.toISOString()}`}
          empty={
            <EmptyState kind="waiting" title="Not measured: no request with a key in this range">
              A caller is known by the scope of its keys. Widen the range if some came before.
            </EmptyState>
          }
        />
      </CardFrame>
    </Page>
  )
}

/** "5 callers sent keys; 2 of them have something to change." */
function summaryOf({ items }: ClientsPage): string {
  const told = items.filter(({ client }) => client !== null)
  const untold = items.length > told.length ? ' Some requests did not tell who sent them.' : ''
  if (items.length === 0) return 'Not measured: no request with a key came.'
  const faulty = told.filter(({ findings }) => findings.length > 0).length
  const change = faulty === 0 ? 'none has anything to change' : `${countText(faulty)} of them to talk to`
  return `${plural(told.length, 'caller')} on routes that take keys; ${change}.${untold}`
}
