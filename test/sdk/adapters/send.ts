import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { BodyKind } from './harness'

type Sent = { type: string; body: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> }

const upload = (boundary: string, content: string): Sent => ({
  type: `multipart/form-data; boundary=${boundary}`,
  body: [
    `--${boundary}\r\nContent-Disposition: form-data; name="invoice"; filename="a.pdf"\r\n`,
    `Content-Type: application/pdf\r\n\r\n${content}\r\n--${boundary}--\r\n`,
  ].join(''),
})
const bytes = (...body: number[]): Sent => ({
  type: 'application/octet-stream',
  body: Uint8Array.from(body),
})
const zipped = (text: string): Sent => ({
  type: 'application/json',
  body: Uint8Array.from(gzipSync(text)),
  headers: { 'content-encoding': 'gzip' },
})
const as = (type: string, body: string): Sent => ({ type, body })
const FORM = 'application/x-www-form-urlencoded'

/** Of each kind: a request, one that means the same, and another. */
export const BODIES: Record<BodyKind, { one: Sent; same: Sent; other: Sent }> = {
  json: {
    one: as('application/json', '{"a":1,"b":[{"c":null}]}'),
    same: as('application/json; charset=UTF-8', '{ "b": [{"c":null}], "a": 1.0 }'),
    other: as('application/json', '{"a":2,"b":[{"c":null}]}'),
  },
  form: {
    one: as(FORM, 'a=1&b=x+y'),
    same: as(FORM, 'b=x%20y&a=1'),
    other: as(FORM, 'a=2&b=x+y'),
  },
  upload: { one: upload('one', '10'), same: upload('two', '10'), other: upload('one', '99') },
  text: {
    one: as('text/plain', 'pay 10'),
    same: as('text/plain', 'pay 10'),
    other: as('text/plain', 'pay 99'),
  },
  octets: { one: bytes(0, 255), same: bytes(0, 255), other: bytes(0, 254) },
  zipped: { one: zipped('{"a":1}'), same: zipped('{"a":1}'), other: zipped('{"a":2}') },
}

export type Answer = {
  status: number
  headers: Headers
  text: string
  replayed: boolean
  json(): Record<string, unknown>
}

export type Sending = Partial<Sent> & { key?: string; act?: string; method?: string; caller?: string }

export async function send(url: string, sending: Sending = {}): Promise<Answer> {
  const response = await fetch(`${url}/v1/payments`, init(sending))
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    replayed: response.headers.get('idempotent-replayed') === 'true',
    json: () => JSON.parse(text),
  }
}

function init({ key, act, caller, method = 'POST', type, body, headers }: Sending): RequestInit {
  const sent = type === undefined && body === undefined ? BODIES.json.one : { type, body }
  const isRead = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
  return {
    method,
    redirect: 'manual',
    body: isRead ? null : (sent.body ?? null),
    headers: {
      ...(isRead || sent.type === undefined ? {} : { 'content-type': sent.type }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(act === undefined ? {} : { 'x-act': act }),
      ...(caller === undefined ? {} : { 'x-api-client': caller }),
      ...headers,
    },
  }
}

export const stream = (url: string, sending: Sending): Promise<Response> =>
  fetch(`${url}/v1/payments`, init(sending))

/** Sends a request on a connection of its own, which the test breaks. `length` is what it says of its body. */
export function sendRaw(url: string, key: string, length?: number) {
  const { hostname, port } = new URL(url)
  const body = String(BODIES.json.one.body)
  const socket = connect(Number(port), hostname)
  // It is broken on purpose.
  socket.on('error', () => {})
  socket.write(
    [
      'POST /v1/payments HTTP/1.1',
      `Host: ${hostname}:${port}`,
      'Content-Type: application/json',
      `Content-Length: ${length ?? body.length}`,
      `Idempotency-Key: ${key}`,
      `\r\n${body}`,
    ].join('\r\n'),
  )
  return {
    break: () =>
      new Promise<void>((resolve) => {
        socket.once('close', () => resolve())
        socket.resetAndDestroy()
      }),
  }
}
