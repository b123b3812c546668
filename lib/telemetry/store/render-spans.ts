import type { AcceptedSpan } from '../interpret/interpret'
import { FUTURE_AFTER_MS, LATE_AFTER_MS } from '../retention'
import { PIECE_CHARACTERS } from './copy-in'
import { timestampOf } from './copy-text'
import { type FactRow, type Resource, readResource, spanFields, timesOf } from './rows'

/** Spans that arrived of one minute and resource, as INSERT_SPANS counts them. */
export type Arrived = {
  minute: string
  service: string
  version: string
  environment: string
  spans: number
  late: number
  future: number
  first_at: string
  last_at: string
}

export type RenderedSpans = {
  /** lines of SPAN_COLUMNS for COPY */
  spans: Buffer[]
  /** only of spans that say something */
  rows: FactRow[]
  arrived: Arrived[]
}

/**
 * Bytes instead of objects, as soon as a request is understood: what lives as long as its transaction is copied by each
 * collection of the heap.
 */
export function renderSpans(accepted: readonly AcceptedSpan[], receivedAt: Date): RenderedSpans {
  const received = timestampOf(receivedAt)
  const spans: Buffer[] = []
  const rows: FactRow[] = []
  const count = counter(receivedAt)
  let piece = ''
  for (const { span, request, effect, delivery } of accepted) {
    const resource = readResource(span.resource)
    const times = timesOf(span)
    const { start, end } = times
    piece += `${spanFields(span, times, `${resource.fields}\t${received}`)}\n`
    if (piece.length >= PIECE_CHARACTERS) {
      spans.push(Buffer.from(piece))
      piece = ''
    }
    count.add(start, resource)
    if (request === null && effect === null && delivery === null) continue
    const { traceId, spanId } = span
    const keys = { requestKey: null, effectKey: null }
    rows.push({ request, effect, delivery, start, end, traceId, spanId, resource, ...keys })
  }
  if (piece !== '') spans.push(Buffer.from(piece))
  return { spans, rows, arrived: count.arrived() }
}

/** A minute as minutesOf gives it. */
export const minuteOf = (time: string) => `${time.slice(0, 16)}:00.000Z`

function counter(receivedAt: Date) {
  const lateBefore = timestampOf(new Date(receivedAt.getTime() - LATE_AFTER_MS))
  const futureAfter = timestampOf(new Date(receivedAt.getTime() + FUTURE_AFTER_MS))
  const counted = new Map<string, Arrived>()
  return {
    arrived: () => [...counted.values()],
    add(start: string, { fields, service, version, environment }: Resource) {
      const minute = minuteOf(start)
      const id = `${minute}\t${fields}`
      let known = counted.get(id)
      if (known === undefined) {
        const none = { spans: 0, late: 0, future: 0 }
        known = { minute, service, version, environment, ...none, first_at: start, last_at: start }
        counted.set(id, known)
      }
      known.spans += 1
      if (start < lateBefore) known.late += 1
      if (start > futureAfter) known.future += 1
      if (start < known.first_at) known.first_at = start
      if (start > known.last_at) known.last_at = start
    },
  }
}
