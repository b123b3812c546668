import { AttemptLanes, type Lane } from '@/app/_ui/attempt-lanes'
import { Card } from '@/app/_ui/card'
import { shortId } from '@/app/_ui/identifier'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import type { CaseAttempt, CaseAttempts } from '@/lib/reconcile/cases/case-attempts'
import { requestLane } from '../../../_page/request-lane'

/** The attempts of one operation on one axis: who held the key, when it charged, when the lease ended. */
export function AttemptsCard({ found }: { found: CaseAttempts | null }) {
  if (found === null)
    return (
      <Card
        id="attempts"
        title="Attempts"
        empty="Not known: no span, no lease and no object of this operation was seen."
      />
    )
  return (
    <Card
      id="attempts"
      title="Attempts"
      aside={
        <>
          <Time at={found.from} kind="seconds" /> – <Time at={found.to} kind="seconds" />
        </>
      }
    >
      <AttemptLanes
        caption="Attempts of this operation over time, one lane each"
        lanes={found.shown.map(toLane)}
        marks={found.leaseEnds.map((at) => ({ at, label: 'lease ends' }))}
      />
      {found.more > 0 && (
        <p className="px-4 pb-3 text-ink-3 text-s">
          {plural(found.more, 'more request')} of this key {found.more === 1 ? 'is' : 'are'} not drawn.
        </p>
      )}
    </Card>
  )
}

export function toLane(attempt: CaseAttempt): Lane {
  const { from, to } = attempt
  const dots = attempt.effects.map(({ id, at, duplicate }) => ({
    at,
    // An id on a lane has little room.
    label: `${shortId(id, 5, 4)}${duplicate ? ' again' : ''}`,
    tone: duplicate ? ('bad' as const) : ('accent' as const),
  }))
  const silent = { from, to, dots, note: 'no span came' }
  switch (attempt.kind) {
    case 'request': {
      const { request } = attempt
      return requestLane(request, {
        label: request.attempt === null ? 'Request' : `Attempt ${request.attempt}`,
        note: request.instance,
        text: barText(outcomeLook(request.outcome).label, request.fence),
        href: `/traces/${request.traceId}?span=${request.spanId}`,
        dots,
      })
    }
    case 'life': {
      const { key, fence, state, completedAt } = attempt.life
      const look =
        completedAt === null
          ? { label: 'Lease', text: barText('never finished', fence), fill: 'var(--warning)' }
          : { label: 'Record', text: barText(state.replaceAll('_', ' '), fence), fill: 'var(--executed)' }
      return { id: `${key} ${fence}`, ...silent, ...look }
    }
    case 'provider':
      return {
        id: 'provider',
        ...silent,
        ...{ label: 'Provider', text: 'no attempt told of it', fill: 'var(--ink-3)' },
      }
    default:
      return attempt satisfies never
  }
}

const barText = (words: string, fence: string | null): string =>
  fence === null ? words : `${words}, token …${fence.slice(-3)}`
