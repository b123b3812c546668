import type { Rejections } from './span'

export type Encoding = 'protobuf' | 'json'

export const CONTENT_TYPE: Record<Encoding, string> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
}

export type Signal = 'traces' | 'logs'
const REJECTED = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
} as const satisfies Record<Signal | 'metrics', string>

const REASONS_CHARACTERS_MAX = 1_000

/**
 * Export{Trace,Logs,Metrics}ServiceResponse, alike in protobuf; partial_success only where something was rejected, or with 0
 * rejected for a warning, as the specification says.
 */
export function encodeAnswer(
  encoding: Encoding,
  rejections: Rejections,
  signal: keyof typeof REJECTED = 'traces',
): Buffer {
  const rejected = [...rejections.values()].reduce((sum, count) => sum + count, 0)
  const message = [...rejections]
    .map(([reason, count]) => (count === 0 ? reason : `${count} × ${reason}`))
    .join('; ')
    .slice(0, REASONS_CHARACTERS_MAX)
  if (encoding === 'json') {
    const partialSuccess = { [REJECTED[signal]]: String(rejected), errorMessage: message }
    return Buffer.from(JSON.stringify(rejections.size > 0 ? { partialSuccess } : {}))
  }
  if (rejections.size === 0) return Buffer.alloc(0)
  const count = rejected > 0 ? varintField(1, rejected) : Buffer.alloc(0)
  return bytesField(1, Buffer.concat([count, textField(2, message)]))
}

/** google.rpc.Status, the body of every answer that is not 200. Codes: google.rpc.Code. */
export function encodeStatus(encoding: Encoding, code: number, message: string): Buffer {
  if (encoding === 'json') return Buffer.from(JSON.stringify({ code, message }))
  return Buffer.concat([varintField(1, code), textField(2, message)])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}

const varintField = (field: number, value: number) => Buffer.concat([varint(field * 8), varint(value)])
const bytesField = (field: number, bytes: Buffer) =>
  Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes])
const textField = (field: number, text: string) => bytesField(field, Buffer.from(text))
