import type { Metadata } from 'next'
import { createLoader, parseAsString } from 'nuqs/server'
import { Suspense } from 'react'
import { CopyButton } from '@/app/_ui/copy-button'
import { EmptyState } from '@/app/_ui/empty-state'
import { KEY_STATE, KeyStateBadge } from '@/app/_ui/key-state'
import { Time } from '@/app/_ui/time'
import { AppError } from '@/lib/core/errors'
import { dotted, scopeParts } from '@/lib/core/scope'
import { HoldLink } from '../../_page/hold-link'
import { missing, openPage, type PageProps } from '../../_page/open-page'
import { Page } from '../../_page/page-frame'
import { ArchivedCard } from './archived-card'
import { AttemptsCard } from './attempts-card'
import { CompareCard } from './compare-card'
import { EffectsCard } from './effects-card'
import { HistoryCard } from './history-card'
import { type KeyPage, readKeyPage } from './read-key'
import { ResponseCard } from './response-card'
import { SidesCard } from './sides-card'
import { StateCard } from './state-card'

export const metadata: Metadata = { title: 'Key' }

const loadPair = createLoader({ a: parseAsString, b: parseAsString })

export default async function KeyPageView(props: PageProps<{ id: string }>) {
  const { id } = await props.params
  const { ctx, asked } = await openPage(`/keys/${id}`, props)
  const page = await readKeyPage(ctx, id).catch(whyUnavailable)
  if (typeof page === 'string') {
    return (
      <EmptyState kind="timeout" title="The store cannot be read now">
        {page} Nothing else is known of this key. Reload to try again.
      </EmptyState>
    )
  }
  const { a, b } = await loadPair(asked)
  return (
    <Page {...headerOf(page)}>
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-3 xl:grid-cols-[minmax(0,1fr)_22rem]">
        {/* On a phone what may be done comes first, then why. */}
        <div className="grid min-w-0 gap-3 max-xl:contents">
          <AttemptsCard page={page} />
          <CompareCard ctx={ctx} page={page} a={a} b={b} />
          <EffectsCard page={page} />
          <SidesCard page={page} />
        </div>
        <div className="grid min-w-0 gap-3 max-xl:contents">
          <div className="min-w-0 max-xl:order-first">
            <StateCard page={page} />
          </div>
          <ResponseCard page={page} />
          <Suspense>
            <ArchivedCard ctx={ctx} id={id} />
          </Suspense>
          <HistoryCard page={page} />
        </div>
      </div>
    </Page>
  )
}

function headerOf({ detail, subject, keepsHolds }: KeyPage) {
  const { client, endpoint } = scopeParts(detail.scope)
  return {
    path: [{ label: 'Keys', href: '/keys' }],
    actions: keepsHolds && <HoldLink source={subject.source} scope={subject.scope} keyText={subject.key} />,
    title: <span className="break-all font-mono text-l">{detail.key}</span>,
    beside: (
      <>
        <CopyButton text={detail.key} label="Copy the key" iconOnly />
        {detail.state !== null && <KeyStateBadge state={detail.state} />}
      </>
    ),
    summary: (
      <>
        {dotted(endpoint, client, detail.sourceName)}
        {detail.createdAt !== null && (
          <>
            {' '}
            · first acquired <Time at={detail.createdAt} kind="seconds" />
          </>
        )}
        {detail.expiresAt !== null && (
          <>
            {' '}
            · expires <Time at={detail.expiresAt} />
          </>
        )}
        . {detail.state === null ? 'Seen in traces only.' : KEY_STATE[detail.state].says}
      </>
    ),
  }
}

function whyUnavailable(error: unknown): string {
  return error instanceof AppError && error.code === 'unavailable' ? error.message : missing(error)
}
