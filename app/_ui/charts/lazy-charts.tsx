'use client'

import dynamic from 'next/dynamic'
import { CHART_HEIGHT } from './outcome-point'

// Recharts draws in the browser only and is large: it comes after the figures, into a place kept for it.

const Reserved = () => <div style={{ height: CHART_HEIGHT }} />

export const OutcomeBars = dynamic(() => import('./outcome-bars'), { ssr: false, loading: Reserved })
export const RateLine = dynamic(() => import('./rate-line'), { ssr: false, loading: Reserved })
