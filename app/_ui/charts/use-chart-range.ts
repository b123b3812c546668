'use client'

import { useRouter } from 'next/navigation'
import { useQueryStates } from 'nuqs'
import { type KeyboardEvent, useRef, useState } from 'react'
import type { MouseHandlerDataParam } from 'recharts'
import { rangeParsers } from '../time-range'

type Drag = { from: number; to: number }

/**
 * A press on a bucket opens the list behind it; a drag over buckets sets the range. `drill` is the list's path, to which
 * the bucket's own range is added.
 */
export function useChartRange(starts: readonly number[], bucketMs: number, drill: string) {
  const router = useRouter()
  const [, setRange] = useQueryStates(rangeParsers, { shallow: false, history: 'push' })
  const [drag, setDrag] = useState<Drag | null>(null)
  const dragged = useRef(false)
  const startOf = ({ activeTooltipIndex }: MouseHandlerDataParam): number | undefined =>
    activeTooltipIndex === undefined || activeTooltipIndex === null
      ? undefined
      : starts[Number(activeTooltipIndex)]

  function open(at: number, more: Record<string, string> = {}) {
    if (dragged.current) return
    const [path = '', own = ''] = drill.split('?')
    const query = new URLSearchParams(own)
    const zone = new URLSearchParams(window.location.search).get('tz')
    if (zone !== null) query.set('tz', zone)
    query.set('from', new Date(at).toISOString())
    query.set('to', new Date(at + bucketMs).toISOString())
    for (const [name, value] of Object.entries(more)) query.set(name, value)
    router.push(`${path}?${query}`)
  }

  return {
    open,
    /** The buckets that a drag covers now, in order. */
    dragging: drag !== null && drag.from !== drag.to ? order(drag) : null,
    handlers: {
      onMouseDown(state: MouseHandlerDataParam) {
        const at = startOf(state)
        dragged.current = false
        if (at !== undefined) setDrag({ from: at, to: at })
      },
      onMouseMove(state: MouseHandlerDataParam) {
        const at = startOf(state)
        if (drag !== null && at !== undefined && at !== drag.to) setDrag({ ...drag, to: at })
      },
      onMouseUp() {
        if (drag === null) return
        setDrag(null)
        if (drag.from === drag.to) return
        dragged.current = true
        const { from, to } = order(drag)
        void setRange({ range: null, from: new Date(from), to: new Date(to + bucketMs) })
      },
      onMouseLeave() {
        setDrag(null)
      },
    },
    /** The arrow keys move along the buckets (Recharts does that); Enter opens the one that is told. */
    onKeyDown(event: KeyboardEvent, told: { at: number; more?: Record<string, string> } | null) {
      if (event.key !== 'Enter' || told === null) return
      dragged.current = false
      open(told.at, told.more)
    },
  }
}

const order = ({ from, to }: Drag): Drag => ({ from: Math.min(from, to), to: Math.max(from, to) })
