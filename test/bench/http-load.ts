import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Both sides of a proxy on bare sockets, so that what is measured is the proxy. */

const ANSWER_BODY = '{"id":"pay_1","amount":1050,"currency":"USD","status":"succeeded"}'
const ANSWER = Buffer.from(
  `HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: ${ANSWER_BODY.length}\r\n\r\n${ANSWER_BODY}`,
)
const BODY = '{"amount":1050,"currency":"USD","customer":"cus_123","reference":"order-1"}'

export type LoadUpstream = { url: string; waiting(): number; release(): void; hold(): void; close(): void }

/** Answers each request at once, or all that wait when it is released. */
export async function startLoadUpstream(): Promise<LoadUpstream> {
  const sockets = new Set<Socket>()
  let held: Socket[] | null = null
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (;;) {
        const end = text.indexOf('\r\n\r\n')
        if (end < 0) return
        const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
        if (text.length < end + 4 + length) return
        text = text.slice(end + 4 + length)
        if (held === null) socket.write(ANSWER)
        else held.push(socket)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    waiting: () => held?.length ?? 0,
    hold() {
      held = []
    },
    release() {
      for (const socket of held ?? []) socket.write(ANSWER)
      held = null
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

export type Load = {
  port: number
  path: string
  connections: number
  requests: number
  keyOf: (n: number) => string | null
}

/** Milliseconds of each request, and of all; throws on an answer that is none of a payment. */
export async function runLoad({
  port,
  path,
  connections,
  requests,
  keyOf,
}: Load): Promise<{ eachMs: number[]; allMs: number }> {
  const eachMs: number[] = []
  let next = 0
  const startedMs = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(port, '127.0.0.1')
      socket.setNoDelay(true)
      const exchange = exchangeOn(socket)
      while (next < requests) {
        const key = keyOf(next++)
        const sentMs = performance.now()
        await exchange(requestText(path, key))
        eachMs.push(performance.now() - sentMs)
      }
      socket.destroy()
    }),
  )
  return { eachMs, allMs: performance.now() - startedMs }
}

const requestText = (path: string, key: string | null) =>
  `POST ${path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\naccept: */*\r\nuser-agent: bench/1\r\n${
    key === null ? '' : `idempotency-key: "${key}"\r\n`
  }content-length: ${BODY.length}\r\n\r\n${BODY}`

function exchangeOn(socket: Socket): (request: string) => Promise<void> {
  let text = ''
  let done: (() => void) | null = null
  let failed: ((error: Error) => void) | null = null
  socket.on('error', (error) => failed?.(error))
  socket.on('close', () => failed?.(new Error('the proxy closed the connection')))
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = text.slice(0, end)
    const length = /content-length: (\d+)/i.exec(head)?.[1]
    const isWhole =
      length === undefined ? text.endsWith('0\r\n\r\n') : text.length >= end + 4 + Number(length)
    if (!isWhole) return
    const answer = text
    text = ''
    if (answer.startsWith('HTTP/1.1 201 ')) done?.()
    else failed?.(new Error(answer))
  })
  return (request) =>
    new Promise((resolve, reject) => {
      done = resolve
      failed = reject
      socket.write(request)
    })
}
