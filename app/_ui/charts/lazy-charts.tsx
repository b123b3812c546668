'use client'

import dynamic from 'next/dynamic'
import { ofElements } from '../jsx/of-elements'
import type { BurnLinesProps } from './burn-lines'
import type { OutcomeBarsProps } from './outcome-bars'
import { CHART_HEIGHT } from './outcome-point'
import type { RateLineProps } from './rate-line'

// Recharts draws in the browser only and is large: it comes after the figures, into a place kept for it.

const Reserved = () => <div style={{ height: CHART_HEIGHT }} />

/** A chart that cannot be fetched takes nothing else of the page with it. */
function Missing() {
  return (
    <p className="flex items-center justify-center text-ink-2" style={{ height: CHART_HEIGHT }}>
      The chart could not be loaded. Reload the page to try again.
    </p>
  )
}

export const OutcomeBars = ofElements(
  dynamic<OutcomeBarsProps>(() => import('./outcome-bars').catch(() => ({ default: Missing })), {
    ssr: false,
    loading: Reserved,
  }),
)
export const RateLine = ofElements(
  dynamic<RateLineProps>(() => import('./rate-line').catch(() => ({ default: Missing })), {
    ssr: false,
    loading: Reserved,
  }),
)
export const BurnLines = ofElements(
  dynamic<BurnLinesProps>(() => import('./burn-lines').catch(() => ({ default: Missing })), {
    ssr: false,
    loading: Reserved,
  }),
)
