import type { TraceSpan } from '@/lib/telemetry/read/trace'

/** A span as a line of the waterfall: small, since there may be 10,000. */
export type WaterfallRow = {
  spanId: string
  depth: number
  name: string
  service: string
  /** From the trace's beginning. */
  startMs: number
  durationMs: number
  failed: boolean
  /** It carries a key, or caused a side effect. */
  mark: 'key' | 'effect' | null
}

export type Waterfall = { rows: WaterfallRow[]; totalMs: number; beganAt: string }

/** Spans in the order of a tree, children under their parent by time. A span whose parent is not here is a root. Pure. */
export function buildWaterfall(spans: readonly TraceSpan[]): Waterfall | null {
  const [first] = spans
  if (first === undefined) return null
  const known = new Set(spans.map(({ spanId }) => spanId))
  const children = new Map<string, TraceSpan[]>()
  for (const span of spans) {
    const parent = span.parentSpanId !== null && known.has(span.parentSpanId) ? span.parentSpanId : ''
    const list = children.get(parent)
    if (list === undefined) children.set(parent, [span])
    else list.push(span)
  }
  const began = Math.min(...[first, ...(children.get('') ?? [])].map(({ startTime }) => startTime.getTime()))
  const rows: WaterfallRow[] = []
  const placed = new Set<string>()
  // A stack, not recursion: a chain of 10,000 spans must not end the process.
  const stack = (children.get('') ?? []).map((span) => ({ span, depth: 0 })).reverse()
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { span, depth } = next
    if (placed.has(span.spanId)) continue
    placed.add(span.spanId)
    rows.push(toRow(span, depth, began))
    for (const child of (children.get(span.spanId) ?? []).toReversed())
      stack.push({ span: child, depth: depth + 1 })
  }
  // What a broken sender linked in a circle has no root: it is shown, at the left.
  for (const span of spans) if (!placed.has(span.spanId)) rows.push(toRow(span, 0, began))
  const totalMs = rows.reduce((max, row) => Math.max(max, row.startMs + row.durationMs), 0)
  return { rows, totalMs, beganAt: new Date(began).toISOString() }
}

const NS_A_MS = 1e6

const toRow = (span: TraceSpan, depth: number, began: number): WaterfallRow => ({
  spanId: span.spanId,
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
