'use client'

import { useMemo, useRef } from 'react'
import { Area, CartesianGrid, ComposedChart, Line, ReferenceLine, Tooltip, YAxis } from 'recharts'
import type { ChartMark } from '@/lib/core/chart-mark'
import { countText, percentText, targetPercentText } from '@/lib/core/format-figure'
import { useZone } from '../zone'
import { deployBuckets } from './axis'
import { ChartFrame, MARKS_HEIGHT } from './chart-frame'
import { ChartTooltip } from './chart-tooltip'
import type { RatePoint } from './outcome-point'
import { TimeAxis, TimeMarks } from './time-marks'
import { useChartRange } from './use-chart-range'

const TICKS_MAX = 4
const Y_TICKS = 3
const AXIS_WIDTH = 52
const MARGIN_RIGHT = 8

export type RateLineProps = {
  points: RatePoint[]
  bucketMs: number
  /** A share, as the rates. */
  target: number
  stroke: string
  marks: ChartMark[]
  /** The list behind a point. */
  drill: string
  syncId: string
}

/** A rate from 0, with its target. Where nothing was counted there is no line; what still counts is dashed. */
export default function RateLine({ points, bucketMs, target, stroke, marks, drill, syncId }: RateLineProps) {
  const starts = useMemo(() => points.map(({ at }) => at), [points])
  const drawn = useMemo(() => points.map(splitOpen), [points])
  const range = useChartRange(starts, bucketMs, drill)
  const told = useRef<RatePoint | null>(null)
  const deployed = useMemo(() => deployBuckets(marks, starts), [marks, starts])
  const ceiling = niceCeiling(Math.max(target * 2, ...points.map(({ rate }) => rate ?? 0)))
  const yTicks = Array.from({ length: Y_TICKS + 1 }, (_, index) => (ceiling / Y_TICKS) * index)
  return (
    <ChartFrame
      marks={marks}
      fromMs={starts[0] ?? 0}
      toMs={starts.at(-1) ?? 0}
      left={AXIS_WIDTH}
      right={MARGIN_RIGHT}
      onKeyDown={(event) => range.onKeyDown(event, tellOf(told.current))}
    >
      <ComposedChart
        data={drawn}
        margin={{ top: MARKS_HEIGHT, right: MARGIN_RIGHT, bottom: 0, left: 0 }}
        syncId={syncId}
        {...range.handlers}
        onClick={(state) => {
          const point = points[Number(state.activeTooltipIndex)]
          if (point !== undefined) range.open(point.at, { counted: point.numerator })
        }}
      >
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <TimeAxis starts={starts} ticksMax={TICKS_MAX} />
        <YAxis
          width={AXIS_WIDTH}
          domain={[0, ceiling]}
          // Else a chart without a point has no scale either, and its target is not drawn.
          allowDataOverflow
          ticks={yTicks}
          tickFormatter={(rate: number) => `${targetPercentText(rate)} %`}
          tickLine={false}
          axisLine={false}
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ stroke: 'var(--ink-3)', strokeWidth: 1 }}
          content={({ active, payload }) => {
            const point = payload[0]?.payload as RatePoint | undefined
            told.current = active && point ? point : null
            return active && point ? <RateTooltip point={point} bucketMs={bucketMs} target={target} /> : null
          }}
        />
        <Area
          dataKey="closed"
          type="linear"
          stroke={stroke}
          strokeWidth={1.75}
          fill={stroke}
          fillOpacity={0.1}
          dot={<LoneDot part="closed" stroke={stroke} drawn={drawn} />}
          activeDot={{ r: 3.5, strokeWidth: 0, fill: stroke }}
          connectNulls={false}
          isAnimationActive={false}
        />
        <Line
          dataKey="open"
          type="linear"
          stroke={stroke}
          strokeWidth={1.75}
          strokeDasharray="3 3"
          dot={<LoneDot part="open" stroke={stroke} drawn={drawn} />}
          activeDot={{ r: 3.5, strokeWidth: 0, fill: stroke }}
          connectNulls={false}
          isAnimationActive={false}
        />
        <TimeMarks deployed={deployed} dragging={range.dragging} />
        <ReferenceLine
          y={target}
          stroke="var(--ink-2)"
          strokeDasharray="4 3"
          label={{
            value: `target ${targetPercentText(target)} %`,
            position: 'insideBottomRight',
            style: { fill: 'var(--ink-2)', paintOrder: 'stroke', stroke: 'var(--surface)', strokeWidth: 3 },
          }}
        />
      </ComposedChart>
    </ChartFrame>
  )
}

const tellOf = (point: RatePoint | null) =>
  point === null ? null : { at: point.at, more: { counted: point.numerator } }

type Drawn = RatePoint & { closed: number | null; open: number | null }

/** The part that still counts is a line of its own, joined to the last point that does not. */
function splitOpen(point: RatePoint, index: number, points: readonly RatePoint[]): Drawn {
  const next = points[index + 1]
  const joins = point.complete && next !== undefined && !next.complete
  return {
    ...point,
    closed: point.complete ? point.rate : null,
    open: !point.complete || joins ? point.rate : null,
  }
}

/** A point between two gaps has no line: it is drawn as a dot. Recharts gives its own `points` to what it clones. */
function LoneDot(props: {
  cx?: number
  cy?: number
  index?: number
  part: 'closed' | 'open'
  stroke: string
  drawn: readonly Drawn[]
}) {
  const { cx, cy, index = 0, part, stroke, drawn } = props
  const isDrawn = (place: number) => (drawn[place]?.[part] ?? null) !== null
  if (!isDrawn(index) || isDrawn(index - 1) || isDrawn(index + 1)) return null
  if (cx === undefined || cy === undefined) return null
  return <circle cx={cx} cy={cy} r={2} fill={stroke} />
}

function RateTooltip({ point, bucketMs, target }: { point: RatePoint; bucketMs: number; target: number }) {
  const zone = useZone()
  const rows =
    point.rate === null
      ? []
      : [
          { label: 'Rate', value: `${percentText(point.rate)} %` },
          { label: 'Twice', value: `${countText(point.numerator)} of ${countText(point.denominator)}` },
          { label: 'Target', value: `${targetPercentText(target)} %` },
        ]
  const note =
    point.rate === null ? 'No committed effects: not measured' : point.complete ? undefined : 'Still counting'
  return <ChartTooltip at={point.at} bucketMs={bucketMs} zone={zone} rows={rows} note={note} />
}

/** The next of 1.5, 3, 6, 9 × 10ⁿ: three even steps with short labels. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const factor = [1.5, 3, 6, 9, 15].find((each) => each * power >= value) ?? 15
  return factor * power
}
