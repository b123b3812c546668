'use client'

import { ReferenceArea, ReferenceLine, XAxis } from 'recharts'
import { useZone } from '../zone'
import { tickText, timeTicks } from './axis'

/** Round moments of the range, in the chosen zone. */
export function TimeAxis({ starts, ticksMax }: { starts: readonly number[]; ticksMax: number }) {
  const zone = useZone()
  return (
    <XAxis
      dataKey="at"
      ticks={timeTicks(starts, ticksMax)}
      interval={0}
      tickFormatter={(at: number) => tickText(at, zone, starts)}
      tickLine={false}
      axisLine={{ stroke: 'var(--line-strong)' }}
      height={24}
      tickMargin={8}
    />
  )
}

/** Where something was deployed, and what a drag covers now. */
export function TimeMarks({
  deployed,
  dragging,
}: {
  deployed: readonly number[]
  dragging: { from: number; to: number } | null
}) {
  return (
    <>
      {deployed.map((bucket) => (
        <ReferenceLine key={bucket} x={bucket} stroke="var(--ink-2)" strokeDasharray="2 3" />
      ))}
      {dragging !== null && (
        <ReferenceArea
          x1={dragging.from}
          x2={dragging.to}
          fill="var(--accent)"
          fillOpacity={0.14}
          stroke="var(--accent)"
        />
      )}
    </>
  )
}
