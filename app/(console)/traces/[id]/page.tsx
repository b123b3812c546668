import { KeyRound, Lock } from 'lucide-react'
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { createLoader, parseAsString } from 'nuqs/server'
import { AttemptLanes } from '@/app/_ui/attempt-lanes'
import { Badge } from '@/app/_ui/badge'
import { buttonClass } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { packRows } from '@/app/_ui/charts/packed-rows'
import { Waterfall } from '@/app/_ui/charts/waterfall'
import { CopyButton } from '@/app/_ui/copy-button'
import { EmptyState } from '@/app/_ui/empty-state'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import { latencyText } from '@/lib/core/format-figure'
import { findKeyOf } from '@/lib/keys/find-key-of-trace'
import { type KeyedRequest, listKeyedRequests } from '@/lib/telemetry/read/requests/keyed-requests'
import { readTrace, type TraceSpan } from '@/lib/telemetry/read/traces/trace'
import { buildWaterfall, keySpans } from '@/lib/telemetry/read/traces/waterfall'
import { readTraceLink, traceLink } from '@/lib/telemetry/trace-link'
import { openPage, type PageProps } from '../../_page/open-page'
import { BesideEachOther, Page } from '../../_page/page-frame'
import { requestLane } from '../../_page/request-lane'
import { SpanCard } from './span-card'

export const metadata: Metadata = { title: 'Trace' }

const TRACE_ID = /^[0-9a-f]{32}$/
const ATTEMPTS_SHOWN = 12
const load = createLoader({ span: parseAsString })

export default async function TracePage(props: PageProps<{ id: string }>) {
  const { id } = await props.params
  if (!TRACE_ID.test(id)) notFound()
  const { ctx, asked } = await openPage(`/traces/${id}`, props)
  const [{ span: chosenId }, { spans, truncated }, template] = await Promise.all([
    load(asked),
    readTrace(ctx.db, id),
    readTraceLink(ctx.db),
  ])
  const waterfall = buildWaterfall(spans)
  const keys = keySpans(spans)
  const request = spans.find(({ attributes }) => 'idempotency.outcome' in attributes)
  const chosen = spans.find((span) => keys.get(span) === chosenId) ?? request ?? spans[0]
  const hash = text(request, 'idempotency.key.hash')
  const scope = text(request, 'idempotency.scope.name')
  const keyedRequests =
    hash === null
      ? []
      : await listKeyedRequests(ctx.db, { keyHash: hash, scope: scope ?? undefined, limit: ATTEMPTS_SHOWN })
  const traceIds = [id, ...keyedRequests.map((keyedRequest) => keyedRequest.traceId)]
  const held = hash === null ? null : await findKeyOf(ctx, { hash, scope, traceIds })
  const outcome = text(request, 'idempotency.outcome')
  return (
    <Page
      title={request?.name ?? spans[0]?.name ?? 'Trace'}
      path={[{ label: 'Traces', href: '/traces' }, { id }]}
      beside={
        outcome !== null && <Badge tone={outcomeLook(outcome).tone}>{outcomeLook(outcome).label}</Badge>
      }
      summary={
        waterfall === null ? undefined : (
          <>
            Began <Time at={waterfall.beganAt} kind="seconds" />, took {latencyText(waterfall.totalMs)}
            {scope !== null && <>, scope {scope}</>}
          </>
        )
      }
      actions={
        <>
          <CopyButton text={id} label="Copy trace id" />
          {held !== null && (
            <PageLink href={`/keys/${held.key.id}`} className={buttonClass()}>
              <KeyRound size={14} aria-hidden="true" /> Open its key
            </PageLink>
          )}
          {held?.lockId && (
            <PageLink href={`/locks?lock=${held.lockId}`} className={buttonClass()}>
              <Lock size={14} aria-hidden="true" /> Open its lock
            </PageLink>
          )}
        </>
      }
    >
      {waterfall === null || chosen === undefined ? (
        <Card id="waterfall" title="Waterfall">
          <EmptyState kind="none" title="No span of this trace is kept">
            A killed process exports nothing, and spans are kept for a limited time.
          </EmptyState>
        </Card>
      ) : (
        <BesideEachOther side={<SpanCard span={chosen} external={traceLink(template, id, chosen.spanId)} />}>
          <Card id="waterfall" title="Waterfall" aside={truncated ? 'the first 10,000 spans' : undefined}>
            <Waterfall
              packed={packRows(waterfall.rows)}
              totalMs={waterfall.totalMs}
              chosen={keys.get(chosen) ?? null}
            />
          </Card>
          {keyedRequests.length > 0 && (
            <Card id="attempts" title="Attempts of this key" aside={`${keyedRequests.length}, oldest first`}>
              <AttemptLanes
                caption="All attempts of this key over time, one lane each"
                lanes={keyedRequests.map((keyedRequest) => attemptLane(keyedRequest, id))}
              />
            </Card>
          )}
        </BesideEachOther>
      )}
    </Page>
  )
}

/** The trace that is looked at is not a link to itself. */
function attemptLane(keyedRequest: KeyedRequest, traceId: string) {
  const own = keyedRequest.traceId === traceId
  return requestLane(keyedRequest, {
    label: `${own ? 'This: ' : ''}${keyedRequest.attempt === null ? 'request' : `attempt ${keyedRequest.attempt}`}`,
    note: keyedRequest.instance,
    ...(own ? {} : { href: `/traces/${keyedRequest.traceId}?span=${keyedRequest.spanId}` }),
  })
}

function text(span: TraceSpan | undefined, name: string): string | null {
  const value = span?.attributes[name]
  return typeof value === 'string' ? value : null
}
