import { setImmediate as yieldToEventLoop } from 'node:timers/promises'
import type { AcceptedSpan } from '../interpret/interpret'
import { type Micros, microsOf, minuteOf, textOfMicros } from '../micros'
import { FUTURE_AFTER_MS, LATE_AFTER_MS } from '../retention'
import type { FactRow, Resource } from './rows/fact-row'
import { RowWriter } from './rows/row-writer'
import { readResource, timesOf, writeSpan } from './rows/rows'

/** Spans that arrived of one minute and resource, as INSERT_SPANS counts them. */
export type Arrived = {
  minute: Date
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
  /** rows of SPAN_COLUMNS for COPY */
  spans: Buffer[]
  /** only of spans that say something */
  rows: FactRow[]
  arrived: Arrived[]
}

const SPAN_BYTES_GUESSED = 1_024
const SPANS_AT_ONCE = 128

/**
 * Bytes instead of objects, as soon as a request is understood: what lives as long as its transaction is copied by each
 * collection of the heap. Every few spans other work of this process has its turn.
 */
export async function renderSpans(
  accepted: readonly AcceptedSpan[],
  receivedAt: Date,
): Promise<RenderedSpans> {
  const received = microsOf(receivedAt)
  const writer = new RowWriter(accepted.length * SPAN_BYTES_GUESSED)
  const rows: FactRow[] = []
  const count = counter(received)
  for (const [index, { span, request, effect, delivery }] of accepted.entries()) {
    if (index % SPANS_AT_ONCE === SPANS_AT_ONCE - 1) await yieldToEventLoop()
    const resource = readResource(span.resource)
    const times = timesOf(span)
    const { start, end } = times
    writeSpan(writer, span, times, resource, received)
    count.add(start, resource)
    if (request === null && effect === null && delivery === null) continue
    const { traceId, spanId } = span
    const keys = { requestKey: null, effectKey: null }
    rows.push({ request, effect, delivery, start, end, traceId, spanId, resource, ...keys })
  }
  return { spans: writer.take(), rows, arrived: count.arrived() }
}

type Counted = Omit<Arrived, 'first_at' | 'last_at'> & { first: Micros; last: Micros }

function counter(received: Micros) {
  const lateBefore = received - LATE_AFTER_MS * 1000
  const futureAfter = received + FUTURE_AFTER_MS * 1000
  const counted = new Map<string, Counted>()
  return {
    arrived: (): Arrived[] =>
      [...counted.values()].map(({ first, last, ...each }) => ({
        ...each,
        first_at: textOfMicros(first),
        last_at: textOfMicros(last),
      })),
    add(start: Micros, { id, service, version, environment }: Resource) {
      const minute = minuteOf(start)
      const key = `${minute} ${id}`
      let known = counted.get(key)
      if (known === undefined) {
        const place = { minute: new Date(minute), service, version, environment }
        known = { ...place, spans: 0, late: 0, future: 0, first: start, last: start }
        counted.set(key, known)
      }
      known.spans += 1
      if (start < lateBefore) known.late += 1
      if (start > futureAfter) known.future += 1
      if (start < known.first) known.first = start
      if (start > known.last) known.last = start
    },
  }
}
