import type { WaterfallRow } from '@/lib/core/waterfall-row'
import type { TraceSpan } from './trace'

export type Waterfall = { rows: WaterfallRow[]; totalMs: number; beganAt: string }

const SERVER = 2
const CLIENT = 3
const PRODUCER = 4
const CONSUMER = 5
const CALLED = new Set([SERVER, CONSUMER])
const CALLING = new Set([CLIENT, PRODUCER])

/** A key for each span: its id, which the two sides of one call may share (Zipkin's shared spans). Pure. */
export function keySpans(spans: readonly TraceSpan[]): Map<TraceSpan, string> {
  const places = new Map<string, number>()
  return new Map(
    spans.map((span) => {
      const place = places.get(span.spanId) ?? 0
      places.set(span.spanId, place + 1)
      return [span, place === 0 ? span.spanId : `${span.spanId}-${place}`]
    }),
  )
}

/** The first span of each id, of those that are asked for. */
function firstById(
  spans: readonly TraceSpan[],
  isAsked: (span: TraceSpan) => boolean,
): Map<string, TraceSpan> {
  const first = new Map<string, TraceSpan>()
  for (const span of spans) if (isAsked(span) && !first.has(span.spanId)) first.set(span.spanId, span)
  return first
}

function childrenOf(spans: readonly TraceSpan[]): Map<TraceSpan | null, TraceSpan[]> {
  const callers = firstById(spans, ({ kind }) => CALLING.has(kind))
  // Of two sides of a call, what was called has the children.
  const parents = new Map([
    ...firstById(spans, () => true),
    ...firstById(spans, ({ kind }) => CALLED.has(kind)),
  ])
  const children = new Map<TraceSpan | null, TraceSpan[]>()
  for (const span of spans) {
    const caller = CALLED.has(span.kind) ? callers.get(span.spanId) : undefined
    const parent = caller ?? (span.parentSpanId === null ? undefined : parents.get(span.parentSpanId)) ?? null
    const list = children.get(parent)
    if (list === undefined) children.set(parent, [span])
    else list.push(span)
  }
  return children
}

/** Spans in the order of a tree, children under their parent by time. A span whose parent is not here is a root. Pure. */
export function buildWaterfall(spans: readonly TraceSpan[]): Waterfall | null {
  const [first] = spans
  if (first === undefined) return null
  const keys = keySpans(spans)
  const children = childrenOf(spans)
  const roots = children.get(null) ?? []
  const began = Math.min(...[first, ...roots].map(({ startTime }) => startTime.getTime()))
  const rows: WaterfallRow[] = []
  const placed = new Set<TraceSpan>()
  const place = (span: TraceSpan, depth: number) => {
    placed.add(span)
    rows.push(toRow(span, keys.get(span) ?? span.spanId, depth, began))
  }
  // A stack, not recursion: a chain of 10,000 spans must not end the process.
  const stack = roots.map((span) => ({ span, depth: 0 })).reverse()
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { span, depth } = next
    if (placed.has(span)) continue
    place(span, depth)
    for (const child of (children.get(span) ?? []).toReversed()) stack.push({ span: child, depth: depth + 1 })
  }
  // What a broken sender linked in a circle has no root: it is shown, at the left.
  for (const span of spans) if (!placed.has(span)) place(span, 0)
  const totalMs = rows.reduce((max, row) => Math.max(max, row.startMs + row.durationMs), 0)
  return { rows, totalMs, beganAt: new Date(began).toISOString() }
}

const NS_A_MS = 1e6

const toRow = (span: TraceSpan, key: string, depth: number, began: number): WaterfallRow => ({
  key,
  depth,
  name: span.name,
  service: span.service,
  startMs: Math.max(0, span.startTime.getTime() - began),
  durationMs: Number(span.durationNs) / NS_A_MS,
  failed: span.statusCode === 2,
  mark:
    'idempotency.effect.name' in span.attributes
      ? 'effect'
      : 'idempotency.outcome' in span.attributes
        ? 'key'
        : null,
})
