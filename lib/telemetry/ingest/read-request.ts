import { setImmediate as yieldToEventLoop } from 'node:timers/promises'
import type { Clock } from '@/lib/core/clock'
import type { Encoding, Signal } from '@/lib/telemetry/decode/answer'
import { decodeJson } from '@/lib/telemetry/decode/json'
import { decodeLogsJson } from '@/lib/telemetry/decode/json-logs'
import { decodeProtobuf } from '@/lib/telemetry/decode/protobuf'
import { decodeLogsProtobuf } from '@/lib/telemetry/decode/protobuf-logs'
import type { Rejections } from '@/lib/telemetry/decode/span'
import { type RenderedSpans, renderSpans } from '@/lib/telemetry/ingest/render-spans'
import { interpret } from '@/lib/telemetry/interpret/interpret'
import { type AcceptedLog, interpretLogs } from '@/lib/telemetry/interpret/interpret-logs'

export const SIGNAL_OF_PATH: ReadonlyMap<string, Signal> = new Map([
  ['/v1/traces', 'traces'],
  ['/v1/logs', 'logs'],
])

export type InterpretedAny = { rejections: Rejections } & (
  | { signal: 'traces'; rendered: RenderedSpans }
  | { signal: 'logs'; accepted: AcceptedLog[] }
)

/**
 * Rejects with MalformedError. Between its steps other work of this process has its turn: a connection that waits for
 * its next statement is an idle processor.
 */
export async function decodeAndInterpret(
  { bytes, signal, encoding }: { bytes: Buffer; signal: Signal; encoding: Encoding },
  clock: Clock,
  hash: (key: string) => string,
): Promise<InterpretedAny> {
  const rejections: Rejections = new Map()
  const isJson = encoding === 'json'
  if (signal === 'traces') {
    const spans = isJson ? decodeJson(bytes, rejections) : decodeProtobuf(bytes)
    warnOfNothing(bytes, spans, rejections)
    await yieldToEventLoop()
    const accepted = interpret(spans, clock, hash, rejections)
    await yieldToEventLoop()
    return { signal, rejections, rendered: await renderSpans(accepted, clock.now()) }
  }
  const logs = isJson ? decodeLogsJson(bytes, rejections) : decodeLogsProtobuf(bytes)
  warnOfNothing(bytes, logs, rejections)
  return { signal, rejections, accepted: interpretLogs(logs, clock, hash, rejections) }
}

/** As long as the JSON of a request without content, and longer than such a one in protobuf. */
const EMPTY_BYTES_MAX = 2

/** Fields that nobody knows are ignored, as OTLP asks; a sender that uses only such ones must hear of it. */
function warnOfNothing(bytes: Buffer, items: readonly unknown[], rejections: Rejections): void {
  if (items.length === 0 && rejections.size === 0 && bytes.length > EMPTY_BYTES_MAX)
    rejections.set('nothing was found in the request: compare its fields with the OTLP specification', 0)
}
