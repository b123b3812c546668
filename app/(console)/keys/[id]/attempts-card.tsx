import { AttemptLanes, type Lane, type LaneMark } from '@/app/_ui/attempt-lanes'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { shortId } from '@/app/_ui/identifier'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { PageLink } from '@/app/_ui/page-link'
import { type Column, Table } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { latencyText, plural } from '@/lib/core/format-figure'
import { attemptsWithEffects, type NumberedAttempt } from '@/lib/keys/attempts'
import type { KeyedRequest } from '@/lib/telemetry/read/requests/keyed-requests'
import { requestLane } from '../../_page/request-lane'
import { requestNow } from '../../_shell/reads'
import type { KeyPage } from './read-key'

export async function AttemptsCard({ page: { detail, effects } }: { page: KeyPage }) {
  const { keyedRequests, lock } = detail
  const shown = attemptsWithEffects(keyedRequests, effects, LANES_MAX)
  const more = keyedRequests.length > LANES_MAX ? `, ${LANES_MAX} as lanes` : ''
  return (
    <Card
      id="attempts"
      title="Attempts"
      aside={`${plural(keyedRequests.length, 'request')} seen${more}`}
      empty={
        keyedRequests.length === 0 &&
        'No request span of this key was received: its service sends none, or they are kept no more.'
      }
    >
      <AttemptLanes
        lanes={shown.map(toLane)}
        marks={lock === null ? [] : [leaseMark(lock.leaseUntil, await requestNow())]}
        caption="The attempts on one axis of time, with the effects that each had"
      />
      <Table
        columns={columnsOf(keyedRequests)}
        rows={keyedRequests}
        id={({ spanId }) => spanId}
        look={() => ({ className: 'whitespace-nowrap' })}
        lines={1}
        scrolls="Table of attempts"
        className="border-line border-t"
      />
    </Card>
  )
}

/** More lanes than this are no picture: the table below has them all. */
const LANES_MAX = 12

const fenceText = (fence: string): string => (fence.length > 8 ? `…${fence.slice(-6)}` : fence)

function toLane({ request, place, effects }: NumberedAttempt): Lane {
  const { label } = outcomeLook(request.outcome)
  return requestLane(request, {
    label: `${place + 1} · ${shortId(request.instance, 4, 4)}`,
    text: request.fence === null ? label : `${label}, token ${fenceText(request.fence)}`,
    href: `/traces/${request.traceId}`,
    dots: effects.map(({ time, effectId, step, duplicate }) => ({
      at: time.toISOString(),
      label: effectId === '' ? step : shortId(effectId, 7, 3),
      tone: duplicate ? ('bad' as const) : ('accent' as const),
    })),
  })
}

const leaseMark = (leaseUntil: string, now: Date): LaneMark => ({
  at: leaseUntil,
  label: Date.parse(leaseUntil) > now.getTime() ? 'lease ends' : 'lease ended',
})

const columnsOf = (keyedRequests: readonly KeyedRequest[]): Column<KeyedRequest>[] => [
  {
    head: 'Place',
    shown: null,
    className: 'text-ink-3',
    cell: (keyedRequest) => keyedRequests.indexOf(keyedRequest) + 1,
  },
  { head: 'At', cell: ({ time }) => <Time at={time.toISOString()} kind="seconds" /> },
  {
    head: 'Outcome',
    cell: ({ outcome, effectTwice, expiredRetry }) => (
      <span className="flex gap-1.5">
        <Badge tone={outcomeLook(outcome).tone}>{outcomeLook(outcome).label}</Badge>
        {effectTwice && <Badge tone="bad">effect twice</Badge>}
        {expiredRetry && <Badge tone="bad">after expiry</Badge>}
      </span>
    ),
  },
  { head: 'Answer', cell: ({ statusCode }) => statusCode ?? '—' },
  {
    head: 'Token',
    className: 'font-mono text-s',
    title: ({ fence }) => fence ?? undefined,
    cell: ({ fence }) => (fence === null ? '—' : fenceText(fence)),
  },
  {
    head: 'Instance',
    title: ({ instance, service, version }) => `${instance} · ${service} ${version}`,
    cell: ({ instance, version }) => (
      <>
        <span className="font-mono text-s">{shortId(instance, 12, 4)}</span>{' '}
        <span className="text-ink-3 text-s">{shortId(version, 10, 4)}</span>
      </>
    ),
  },
  { head: 'Took', cell: ({ time, endTime }) => latencyText(endTime.getTime() - time.getTime()) },
  {
    head: 'Trace',
    className: 'font-mono text-s',
    title: ({ traceId }) => traceId,
    cell: ({ traceId }) => (
      <PageLink href={`/traces/${traceId}`} look="link">
        {shortId(traceId, 8, 4)}
      </PageLink>
    ),
  },
]
