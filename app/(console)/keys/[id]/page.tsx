import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { createLoader, parseAsString } from 'nuqs/server'
import { Suspense } from 'react'
import { CopyButton } from '@/app/_ui/copy-button'
import { EmptyState } from '@/app/_ui/empty-state'
import { KEY_STATE, KeyStateBadge } from '@/app/_ui/key-state'
import { Time } from '@/app/_ui/time'
import { AppError } from '@/lib/core/errors'
import { scopeParts } from '@/lib/core/scope'
import { openPage, type PageProps } from '../../_page/open-page'
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
  const read = await readOrWhy(() => readKeyPage(ctx, id))
  if (read.kind === 'unavailable') {
    return (
      <EmptyState kind="timeout" title="The store cannot be read now">
        {read.why} Nothing else is known of this key. Reload to try again.
      </EmptyState>
    )
  }
  const { page } = read
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

function headerOf({ detail }: KeyPage) {
  const { client, endpoint } = scopeParts(detail.scope)
  return {
    path: [{ label: 'Keys', href: '/keys' }],
    title: <span className="break-all font-mono text-l">{detail.key}</span>,
    beside: (
      <>
        <CopyButton text={detail.key} label="Copy the key" iconOnly />
        {detail.state !== null && <KeyStateBadge state={detail.state} />}
      </>
    ),
    summary: (
      <>
        {endpoint} · {client} · {detail.sourceName}
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

type Read = { kind: 'read'; page: KeyPage } | { kind: 'unavailable'; why: string }

async function readOrWhy(read: () => Promise<KeyPage>): Promise<Read> {
  try {
    return { kind: 'read', page: await read() }
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') notFound()
    if (error instanceof AppError && error.code === 'unavailable')
      return { kind: 'unavailable', why: error.message }
    throw error
  }
}
