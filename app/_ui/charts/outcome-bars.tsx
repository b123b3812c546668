'use client'

import { useMemo, useRef } from 'react'
import { Bar, BarChart, type BarShapeProps, CartesianGrid, ReferenceArea, Tooltip, YAxis } from 'recharts'
import type { ChartMark } from '@/lib/core/chart-mark'
import { countText } from '@/lib/core/format-figure'
import { useZone } from '../zone'
import { deployBuckets } from './axis'
import { ChartFrame, MARKS_HEIGHT } from './chart-frame'
import { ChartTooltip } from './chart-tooltip'
import { OUTCOMES, type OutcomePoint, outcomesOf } from './outcome-point'
import { TimeAxis, TimeMarks } from './time-marks'
import { useChartRange } from './use-chart-range'

const TICKS_MAX = 5
/** A gap of this share of the chart has room for its label. */
const LABELLED_GAP_MIN = 0.2

const AXIS_WIDTH = 44
const MARGIN_RIGHT = 4

export type OutcomeBarsProps = {
  points: OutcomePoint[]
  bucketMs: number
  marks: ChartMark[]
  /** The list behind a bar. */
  drill: string
  syncId: string
}

export default function OutcomeBars({ points, bucketMs, marks, drill, syncId }: OutcomeBarsProps) {
  const starts = useMemo(() => points.map(({ at }) => at), [points])
  const gaps = useMemo(() => gapsOf(points), [points])
  const shown = useMemo(() => outcomesOf(points), [points])
  const range = useChartRange(starts, bucketMs, drill)
  const told = useRef<OutcomePoint | null>(null)
  const deployed = useMemo(() => deployBuckets(marks, starts), [marks, starts])
  return (
    <ChartFrame
      marks={marks}
      fromMs={starts[0] ?? 0}
      toMs={(starts.at(-1) ?? 0) + bucketMs}
      left={AXIS_WIDTH}
      right={MARGIN_RIGHT}
      onKeyDown={(event) => range.onKeyDown(event, tellOf(told.current))}
    >
      <BarChart
        data={points}
        margin={{ top: MARKS_HEIGHT, right: MARGIN_RIGHT, bottom: 0, left: 0 }}
        barCategoryGap="8%"
        syncId={syncId}
        {...range.handlers}
      >
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <TimeAxis starts={starts} ticksMax={TICKS_MAX} />
        <YAxis
          width={AXIS_WIDTH}
          allowDecimals={false}
          tickCount={4}
          tickFormatter={countText}
          tickLine={false}
          axisLine={false}
        />
        {gaps.map(({ from, to, wide }) => (
          <ReferenceArea
            key={from}
            x1={from}
            x2={to}
            fill="var(--sunken)"
            fillOpacity={1}
            stroke="var(--line-strong)"
            strokeDasharray="2 3"
            ifOverflow="hidden"
            {...(wide ? { label: { value: 'nothing arrived', position: 'center' } as const } : {})}
          />
        ))}
        <Tooltip
          isAnimationActive={false}
          cursor={{ fill: 'var(--ink)', fillOpacity: 0.06 }}
          content={({ active, payload }) => {
            const point = payload[0]?.payload as OutcomePoint | undefined
            told.current = active && point ? point : null
            return active && point ? <OutcomeTooltip point={point} bucketMs={bucketMs} /> : null
          }}
        />
        {shown.map(({ key, fill, label }) => (
          <Bar
            key={key}
            dataKey={key}
            name={label}
            stackId="requests"
            fill={fill}
            shape={BucketBar}
            isAnimationActive={false}
            onClick={(bar) => {
              const point = bar.payload as OutcomePoint
              range.open(point.at, { bar: key, counted: String(point[key]) })
            }}
          />
        ))}
        <TimeMarks deployed={deployed} dragging={range.dragging} />
      </BarChart>
    </ChartFrame>
  )
}

const totalOf = (point: OutcomePoint): number => OUTCOMES.reduce((sum, { key }) => sum + point[key], 0)

const tellOf = (point: OutcomePoint | null) =>
  point === null ? null : { at: point.at, more: { bar: 'all', counted: String(totalOf(point)) } }

/** A bucket that still counts is lighter and dashed. */
function BucketBar({ x, y, width, height, fill, payload }: BarShapeProps) {
  if (!(height > 0)) return null
  const complete = (payload as OutcomePoint).complete
  return (
    <rect
      x={x}
      y={y}
      width={width}
      height={height}
      fill={fill}
      fillOpacity={complete ? 0.9 : 0.35}
      stroke={complete ? 'none' : fill}
      strokeDasharray={complete ? undefined : '2 2'}
    />
  )
}

function OutcomeTooltip({ point, bucketMs }: { point: OutcomePoint; bucketMs: number }) {
  const zone = useZone()
  const total = totalOf(point)
  const rows = outcomesOf([point]).map(({ key, label, fill }) => ({
    label,
    fill,
    value: countText(point[key]),
  }))
  return (
    <ChartTooltip
      at={point.at}
      bucketMs={bucketMs}
      zone={zone}
      rows={point.ingested ? [...rows, { label: 'All', value: countText(total) }] : []}
      note={!point.ingested ? 'Nothing arrived: not measured' : point.complete ? undefined : 'Still counting'}
    />
  )
}

type Gap = { from: number; to: number; buckets: number }

/** Runs of buckets in which nothing arrived, though they have ended. */
function gapsOf(points: readonly OutcomePoint[]): (Gap & { wide: boolean })[] {
  const gaps: Gap[] = []
  let open: Gap | null = null
  for (const { at, ingested, complete } of points) {
    if (ingested || !complete) open = null
    else if (open === null) {
      open = { from: at, to: at, buckets: 1 }
      gaps.push(open)
    } else {
      open.to = at
      open.buckets += 1
    }
  }
  return gaps.map((gap) => ({ ...gap, wide: gap.buckets > points.length * LABELLED_GAP_MIN }))
}
