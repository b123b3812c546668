'use client'

import type { KeyboardEvent, ReactElement } from 'react'
import { ResponsiveContainer } from 'recharts'
import type { ChartMark } from '@/lib/core/chart-mark'
import { MarkRail } from './mark-rail'
import { CHART_HEIGHT } from './outcome-point'

type Props = {
  marks: readonly ChartMark[]
  fromMs: number
  toMs: number
  /** The chart's own margins, in pixels. */
  left: number
  right: number
  onKeyDown: (event: KeyboardEvent) => void
  children: ReactElement
}

/** Room for the marks above a chart of this height; the chart's keys come through here. */
export const MARKS_HEIGHT = 26

export function ChartFrame({ marks, fromMs, toMs, left, right, onKeyDown, children }: Props) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the chart within has the focus
    <div className="relative h-full cursor-pointer select-none" onKeyDown={onKeyDown}>
      <MarkRail marks={marks} fromMs={fromMs} toMs={toMs} left={left} right={right} />
      <ResponsiveContainer width="100%" height={CHART_HEIGHT} className="chart">
        {children}
      </ResponsiveContainer>
    </div>
  )
}
