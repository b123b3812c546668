import { AttemptLanes } from '@/app/_ui/attempt-lanes'
import { Card } from '@/app/_ui/card'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import type { CaseLanes } from './lanes'

/** The attempts of one operation on one axis: who held the key, when it charged, when the lease ended. */
export function LanesCard({ found }: { found: CaseLanes | null }) {
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
        lanes={found.lanes}
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
