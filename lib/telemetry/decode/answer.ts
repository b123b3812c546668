export type Encoding = 'protobuf' | 'json'

export const CONTENT_TYPE: Record<Encoding, string> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
}

export type Signal = 'traces' | 'logs'
const REJECTED = { traces: 'rejectedSpans', logs: 'rejectedLogRecords' } as const satisfies Record<
  Signal,
  string
>

/** Export{Trace,Logs}ServiceResponse, alike in protobuf; partial_success only where something was rejected, as the specification says. */
export function encodeAnswer(
  encoding: Encoding,
  rejected: number,
  message: string,
  signal: Signal = 'traces',
): Buffer {
  if (encoding === 'json') {
    const partialSuccess = { [REJECTED[signal]]: String(rejected), errorMessage: message }
    return Buffer.from(JSON.stringify(rejected > 0 ? { partialSuccess } : {}))
  }
  if (rejected === 0) return Buffer.alloc(0)
  const partialSuccess = Buffer.concat([varintField(1, rejected), textField(2, message)])
  return bytesField(1, partialSuccess)
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
