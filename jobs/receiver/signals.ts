import { setImmediate as otherWork } from 'node:timers/promises'
import type { Clock } from '@/lib/core/clock'
import type { Encoding, Signal } from '@/lib/telemetry/decode/answer'
import { decodeJson } from '@/lib/telemetry/decode/json'
import { decodeLogsJson } from '@/lib/telemetry/decode/json-logs'
import { decodeProtobuf } from '@/lib/telemetry/decode/protobuf'
import { decodeLogsProtobuf } from '@/lib/telemetry/decode/protobuf-logs'
import { type Interpreted, interpret } from '@/lib/telemetry/interpret/interpret'
import { type InterpretedLogs, interpretLogs } from '@/lib/telemetry/interpret/interpret-logs'
import { type RenderedSpans, renderSpans } from '@/lib/telemetry/store/render-spans'

export const SIGNAL_OF_PATH: ReadonlyMap<string, Signal> = new Map([
  ['/v1/traces', 'traces'],
  ['/v1/logs', 'logs'],
])

export type InterpretedAny =
  | ({ signal: 'traces'; rendered: RenderedSpans } & Omit<Interpreted, 'accepted'>)
  | ({ signal: 'logs' } & InterpretedLogs)

/**
 * Rejects with MalformedError. Between its steps other work of this process has its turn: a connection that waits for
 * its next statement is an idle processor.
 */
export async function decodeAndInterpret(
  { bytes, signal, encoding }: { bytes: Buffer; signal: Signal; encoding: Encoding },
  clock: Clock,
  hash: (key: string) => string,
): Promise<InterpretedAny> {
  const isJson = encoding === 'json'
  if (signal === 'traces') {
    const spans = isJson ? decodeJson(bytes) : decodeProtobuf(bytes)
    await otherWork()
    const { accepted, ...answer } = interpret(spans, clock, hash)
    await otherWork()
    return { signal, rendered: await renderSpans(accepted, clock.now()), ...answer }
  }
  const logs = isJson ? decodeLogsJson(bytes) : decodeLogsProtobuf(bytes)
  return { signal, ...interpretLogs(logs, clock, hash) }
}
