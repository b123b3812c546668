import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createReceiver, type Receiver, type ReceiverOptions } from '@/jobs/receiver/server'
import { manualClock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'
import { silentLog } from '@/lib/log'
import { encodeRequest } from './oracle'
import { hash } from './spans'

export const PROTOBUF = 'application/x-protobuf'
export const JSON_TYPE = 'application/json'
export const clock = manualClock('2026-11-22T12:00:00Z')

/** A receiver on a free port of this machine. */
export async function openReceiver(
  db: Db,
  options: Partial<ReceiverOptions> = {},
): Promise<{ receiver: Receiver; url: string }> {
  const receiver = createReceiver({
    db,
    clock,
    log: silentLog,
    hash,
    memoryBytesMax: 64 * 1024 * 1024,
    ...options,
  })
  const { server } = receiver
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { receiver, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

let next = 1
const hexId = (bytes: number) => (next++).toString(16).padStart(bytes * 2, '0')
export const startNs = (offsetMs = 0) => (BigInt(clock.now().getTime() + offsetMs) * 1_000_000n).toString()
export const spanJson = (extra: object = {}) => ({
  traceId: hexId(16),
  spanId: hexId(8),
  name: 'GET /',
  kind: 2,
  startTimeUnixNano: startNs(),
  endTimeUnixNano: startNs(3),
  ...extra,
})
export const bodyJson = (...spans: object[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] })
export const toProtobuf = (span: ReturnType<typeof spanJson>) =>
  encodeRequest(
    bodyJson({ ...span, traceId: Buffer.from(span.traceId, 'hex'), spanId: Buffer.from(span.spanId, 'hex') }),
  )
/** Unlike fetch: reads an answer that comes before the body was taken. */
export function send(url: string, body: Uint8Array | string, headers: Record<string, string>) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      let answered = false
      const outgoing = httpRequest(`${url}/v1/traces`, {
        method: 'POST',
        headers: { ...headers, 'content-length': body.length },
      })
      outgoing.on('response', (response) => {
        answered = true
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        )
      })
      outgoing.on('error', (error) => (answered ? undefined : reject(error)))
      outgoing.end(body)
    },
  )
}
