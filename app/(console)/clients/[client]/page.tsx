import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { Suspense } from 'react'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { CodeBox } from '@/app/_ui/code-box'
import { CopyButton } from '@/app/_ui/copy-button'
import { type Figure, Figures } from '@/app/_ui/figures'
import { Item, Items } from '@/app/_ui/item'
import { moneyListText } from '@/app/_ui/money-text'
import { PrintButton } from '@/app/_ui/print-button'
import { countText, latencyText, plural } from '@/lib/core/format-figure'
import type { ClientView } from '@/lib/insight/clients/client'
import { clientText } from '@/lib/insight/clients/client-text'
import { readClients } from '@/lib/insight/clients/read-clients'
import { openPage, type PageProps } from '../../_page/open-page'
import { BesideEachOther, Page } from '../../_page/page-frame'
import { FINDING_LABEL, missingText } from '../client-columns'
import { KeysNote } from '../keys-note'
import { EndpointsCard } from './endpoints-card'

export const metadata: Metadata = { title: 'Client' }

export default async function ClientPage(props: PageProps<{ client: string }>) {
  const { client: segment } = await props.params
  const { ctx, range, place } = await openPage(`/clients/${segment}`, props)
  const client = decoded(segment)
  const page = await readClients(ctx, range)
  const view = page.items.find((each) => each.client === client && !each.isOthers)
  if (view === undefined) notFound()
  const text = clientText(view, { environment: place, from: range.from, to: range.to })
  return (
    <Page
      title={client}
      path={[{ label: 'Clients', href: '/clients' }]}
      summary={`${countText(view.keyedRequests)} requests with a key in this range; ${view.findings.length === 0 ? 'nothing to change.' : `${plural(view.findings.length, 'finding')}.`}`}
      actions={
        <>
          <PrintButton />
          <CopyButton text={text} label="Copy text" />
        </>
      }
    >
      <KeysNote page={page} />
      <Card id="figures" title="How it sends its keys">
        <Figures figures={figuresOf(view)} />
      </Card>
      <BesideEachOther
        side={
          <Card id="text" title="Text for the client’s team">
            <div className="px-4 pb-4">
              <CodeBox className="max-h-none! [word-break:normal]! wrap-break-word! font-sans">
                {text}
              </CodeBox>
            </div>
          </Card>
        }
      >
        <FindingsCard view={view} />
        <Suspense>
          <EndpointsCard db={ctx.db} client={client} range={range} />
        </Suspense>
      </BesideEachOther>
    </Page>
  )
}

/** As it stands in the path; what is no encoding is taken as it is. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function FindingsCard({ view: { findings } }: { view: ClientView }) {
  return (
    <Card
      id="findings"
      title="Findings"
      empty={findings.length === 0 && 'None: nothing that was measured needs a change.'}
    >
      <Items>
        {findings.map(({ kind, tone, says, asks }) => (
          <Item key={kind} data-finding={kind} title={<Badge tone={tone}>{FINDING_LABEL[kind]}</Badge>}>
            <p className="text-ink">{says}</p>
            <p>{asks}</p>
          </Item>
        ))}
      </Items>
    </Card>
  )
}

function figuresOf({
  keys,
  mismatches,
  replayed,
  expiredRetries,
  missingKeys,
  suspected,
  keyTimes,
}: ClientView): Figure[] {
  const window = keys?.retryWindowMs ?? null
  return [
    {
      name: 'Retry window, P99',
      value: window === null ? null : latencyText(window.p99),
      ...(keys !== null && window === null ? { empty: 'No retry' } : {}),
      note:
        window === null
          ? 'no key came twice'
          : `P50 ${latencyText(window.p50)}, P95 ${latencyText(window.p95)}, longest ${latencyText(window.longest)}`,
    },
    {
      name: 'Requests a key',
      value: keys === null ? null : keys.requestsPerKey.toFixed(2),
      note:
        keys === null
          ? 'keys'
          : `${countText(keys.retried)} of ${countText(keys.keys)} keys retried, most ${countText(keys.mostRequests)}`,
    },
    { name: 'Replayed', value: countText(replayed), note: 'answered from the record' },
    {
      name: 'Other body',
      value: countText(mismatches),
      note: keys === null ? 'keys not measured' : `on ${plural(keys.reused, 'key')}`,
      tone: mismatches === 0 ? undefined : 'bad',
    },
    {
      name: 'Retried too late',
      value: countText(expiredRetries),
      note: 'executed again after expiry',
      tone: expiredRetries === 0 ? undefined : 'bad',
    },
    {
      name: 'New key, same operation',
      value: suspected === null ? null : countText(suspected.cases),
      empty: 'Not compared',
      note:
        suspected === null
          ? 'no run has compared'
          : suspected.cases === 0
            ? 'no reference charged twice'
            : `${countText(suspected.open)} open${suspected.money.length === 0 ? '' : `, ${moneyListText(suspected.money)}`}`,
      tone: suspected !== null && suspected.cases > 0 ? 'bad' : undefined,
    },
    {
      name: 'No key',
      value: missingText(missingKeys),
      note: missingKeys.atLeast ? 'some requests told no caller' : 'on routes that take one',
    },
    {
      name: 'Time in key',
      value: keyTimes === null ? null : countText(keyTimes.minute + keyTimes.hour + keyTimes.day),
      empty: 'Not known',
      note:
        keyTimes === null
          ? 'no store that is read has its keys'
          : `of ${countText(keyTimes.sampled)} sampled`,
    },
    {
      name: 'New keys a minute',
      value: keys === null ? null : countText(keys.newKeysPeakPerMinute),
      note: keys === null ? 'keys' : `peak; ${countText(keys.newKeys)} in all`,
    },
    {
      name: 'Shared keys',
      value: keys === null ? null : countText(keys.shared),
      note: keys === null ? 'keys' : `${countText(keys.sentByOtherFirst)} sent by another first`,
      tone: keys !== null && keys.sentByOtherFirst > 0 ? 'warn' : undefined,
    },
  ]
}
