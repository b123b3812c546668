'use client'

import { useMemo, useRef } from 'react'
import { CartesianGrid, Line, LineChart, ReferenceLine, Tooltip, YAxis } from 'recharts'
import type { ChartMark } from '@/lib/core/chart-mark'
import { percentText, timesText } from '@/lib/core/format-figure'
import { useZone } from '../zone'
import { deployBuckets } from './axis'
import { ChartFrame, MARKS_HEIGHT } from './chart-frame'
import { ChartTooltip } from './chart-tooltip'
import { TimeAxis, TimeMarks } from './time-marks'
import { useChartRange } from './use-chart-range'

const TICKS_MAX = 4
const AXIS_WIDTH = 60
const MARGIN_RIGHT = 8

type Unit = '%' | '×'
type Course = { name: string; stroke: string; dash: string; values: (number | null)[] }

export type BurnLinesProps = {
  /** Of the buckets, in milliseconds since the epoch. */
  starts: number[]
  /** False = still counting. */
  complete: boolean[]
  bucketMs: number
  /** `%` = shares of one. */
  unit: Unit
  lines: Course[]
  threshold: { value: number; label: string }
  marks: ChartMark[]
  /** The list behind a point. */
  drill: string
  syncId: string
}

type Key = `${'closed' | 'open'}${number}`
type Point = { at: number; complete: boolean } & Record<Key, number | null>

/** Courses in one unit against one threshold. Where nothing was measured there is no line. */
export default function BurnLines(props: BurnLinesProps) {
  const { starts, complete, bucketMs, unit, lines, threshold, marks, drill, syncId } = props
  const points = useMemo(() => pointsOf(starts, complete, lines), [starts, complete, lines])
  const range = useChartRange(starts, bucketMs, drill)
  const told = useRef<Point | null>(null)
  const deployed = useMemo(() => deployBuckets(marks, starts), [marks, starts])
  return (
    <ChartFrame
      marks={marks}
      fromMs={starts[0] ?? 0}
      toMs={starts.at(-1) ?? 0}
      left={AXIS_WIDTH}
      right={MARGIN_RIGHT}
      onKeyDown={(event) => range.onKeyDown(event, told.current === null ? null : { at: told.current.at })}
    >
      <LineChart
        data={points}
        margin={{ top: MARKS_HEIGHT, right: MARGIN_RIGHT, bottom: 0, left: 0 }}
        syncId={syncId}
        {...range.handlers}
        onClick={(state) => {
          const point = points[Number(state.activeTooltipIndex)]
          if (point !== undefined) range.open(point.at)
        }}
      >
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <TimeAxis starts={starts} ticksMax={TICKS_MAX} />
        <YAxis
          width={AXIS_WIDTH}
          domain={domainOf(unit, threshold.value)}
          tickCount={4}
          tickFormatter={(value: number) =>
            unit === '%' ? `${Math.round(value * 100)} %` : timesText(value)
          }
          tickLine={false}
          axisLine={false}
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ stroke: 'var(--ink-3)', strokeWidth: 1 }}
          content={({ active, payload }) => {
            const point = payload[0]?.payload as Point | undefined
            told.current = active && point ? point : null
            return active && point ? <BurnTooltip point={point} {...{ bucketMs, unit, lines }} /> : null
          }}
        />
        {lines.flatMap(({ name, stroke, dash }, line) =>
          (['closed', 'open'] as const).map((part) => (
            <Line
              key={`${name} ${part}`}
              name={name}
              dataKey={`${part}${line}`}
              type="linear"
              stroke={stroke}
              strokeWidth={1.75}
              strokeDasharray={part === 'open' ? '2 3' : dash}
              dot={false}
              activeDot={{ r: 3.5, strokeWidth: 0, fill: stroke }}
              connectNulls={false}
              isAnimationActive={false}
            />
          )),
        )}
        <TimeMarks deployed={deployed} dragging={range.dragging} />
        <ReferenceLine
          y={threshold.value}
          ifOverflow="extendDomain"
          stroke="var(--ink-2)"
          strokeDasharray="4 3"
          label={{
            value: threshold.label,
            position: 'insideBottomRight',
            style: { fill: 'var(--ink-2)', paintOrder: 'stroke', stroke: 'var(--surface)', strokeWidth: 3 },
          }}
        />
      </LineChart>
    </ChartFrame>
  )
}

/** What still counts is a part of its own, dashed, joined to the last point that does not. */
function pointsOf(
  starts: readonly number[],
  complete: readonly boolean[],
  lines: readonly Course[],
): Point[] {
  return starts.map((at, index) => {
    const done = complete[index] ?? true
    const joins = done && complete[index + 1] === false
    const parts = lines.flatMap(({ values }, line): [Key, number | null][] => {
      const value = values[index] ?? null
      return [
        [`closed${line}`, done ? value : null],
        [`open${line}`, !done || joins ? value : null],
      ]
    })
    return { at, complete: done, ...Object.fromEntries(parts) }
  })
}

/** A budget from all of it down, a burn from 0 up: each to where its course goes, its threshold included. */
const domainOf = (unit: Unit, threshold: number): [(least: number) => number, (most: number) => number] =>
  unit === '%'
    ? [(least) => Math.min(threshold, least), () => 1]
    : [() => 0, (most) => Math.max(threshold * 2, most)]

const textOf = (unit: Unit, value: number | null | undefined): string => {
  if (value === null || value === undefined) return 'not measured'
  return unit === '%' ? `${percentText(value)} %` : timesText(value)
}

function BurnTooltip({
  point,
  bucketMs,
  unit,
  lines,
}: { point: Point } & Pick<BurnLinesProps, 'bucketMs' | 'unit' | 'lines'>) {
  const zone = useZone()
  const rows = lines.map(({ name, stroke }, line) => ({
    label: name,
    value: textOf(unit, point[`closed${line}`] ?? point[`open${line}`]),
    fill: stroke,
  }))
  const note = point.complete ? undefined : 'Still counting'
  return <ChartTooltip at={point.at} bucketMs={bucketMs} zone={zone} rows={rows} note={note} />
}
