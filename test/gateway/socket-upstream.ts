import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createGate, type Gate } from '../sdk/support'

/** What the upstream does with a request that it has read whole. */
export type Behaviour =
  | { kind: 'answer'; status?: number; headers?: string[]; body?: Uint8Array | string }
  /** Reads all, executes, and resets the connection. */
  | { kind: 'reset' }
  /** Resets after so many bytes of the body, having executed nothing or all: nobody can tell. */
  | { kind: 'reset-in-body'; afterBytes: number }
  | { kind: 'reset-after-headers' }
  | { kind: 'half-body' }
  /** The head and half of the body, then nothing. */
  | { kind: 'stall-in-body' }
  | { kind: 'stall' }
  /** These bytes, whatever they mean. */
  | { kind: 'raw'; bytes: string }
  /** Answers when the gate opens. */
  | { kind: 'gated'; gate: Gate<void>; body?: Uint8Array }

export type Received = { method: string; path: string; headers: string[]; body: Buffer; raw: string }

export type SocketUpstream = {
  url: string
  /** In the order in which their heads arrived. */
  received: Received[]
  /** By default, and by path. */
  behave(behaviour: Behaviour, path?: string): void
  /** That are open now. */
  connections(): number
  /** Resolves when the count of received requests is reached. */
  arrived(count: number): Promise<void>
  close(): Promise<void>
}

/** A server on bare sockets: what it does to a connection is what a broken service does. */
export async function startSocketUpstream(): Promise<SocketUpstream> {
  const received: Received[] = []
  const waiting: { count: number; gate: Gate<void> }[] = []
  const byPath = new Map<string, Behaviour>()
  const sockets = new Set<Socket>()
  let otherwise: Behaviour = { kind: 'answer', status: 201, body: '{"id":"pay_1"}' }
  const note = (request: Received) => {
    received.push(request)
    for (const { count, gate } of waiting) if (received.length >= count) gate.resolve()
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    let buffered = Buffer.alloc(0)
    let head: Received | null = null
    let ended = false
    socket.on('data', (chunk: Buffer) => {
      if (ended) return
      buffered = Buffer.concat([buffered, chunk])
      for (;;) {
        if (head === null) {
          const end = buffered.indexOf('\r\n\r\n')
          if (end < 0) return
          head = parseHead(buffered.subarray(0, end).toString('latin1'))
          buffered = buffered.subarray(end + 4)
          note(head)
        }
        const behaviour = byPath.get(head.path) ?? otherwise
        if (behaviour.kind === 'reset-in-body' && buffered.byteLength >= behaviour.afterBytes) {
          ended = true
          socket.resetAndDestroy()
          return
        }
        const body = takeBody(head, buffered)
        if (body === null) return
        head.body = body.body
        buffered = buffered.subarray(body.length)
        act(socket, behaviour)
        head = null
        if (buffered.byteLength === 0) return
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    connections: () => sockets.size,
    behave(behaviour, path) {
      if (path === undefined) otherwise = behaviour
      else byPath.set(path, behaviour)
    },
    async arrived(count) {
      if (received.length >= count) return
      const gate = createGate()
      waiting.push({ count, gate })
      await gate.promise
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

function parseHead(raw: string): Received {
  const [start = '', ...lines] = raw.split('\r\n')
  const [method = '', path = ''] = start.split(' ')
  return { method, path, headers: lines, body: Buffer.alloc(0), raw }
}

export const headerOf = ({ headers }: Pick<Received, 'headers'>, name: string): string | undefined =>
  headers.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))?.slice(name.length + 2)

function takeBody(head: Received, buffered: Buffer): { body: Buffer; length: number } | null {
  if (headerOf(head, 'transfer-encoding') === 'chunked') return takeChunked(buffered)
  const length = Number(headerOf(head, 'content-length') ?? 0)
  return buffered.byteLength < length ? null : { body: buffered.subarray(0, length), length }
}

function takeChunked(buffered: Buffer): { body: Buffer; length: number } | null {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const line = buffered.indexOf('\r\n', at)
    if (line < 0) return null
    const size = Number.parseInt(buffered.toString('latin1', at, line), 16)
    const end = line + 2 + size + 2
    if (buffered.byteLength < end) return null
    if (size === 0) return { body: Buffer.concat(chunks), length: end }
    chunks.push(buffered.subarray(line + 2, line + 2 + size))
    at = end
  }
}

function act(socket: Socket, behaviour: Behaviour): void {
  const answer = ({
    status = 201,
    headers = [],
    body = '{"id":"pay_1"}',
  }: Extract<Behaviour, { kind: 'answer' }>) => {
    const bytes = Buffer.from(body)
    const head = [
      `HTTP/1.1 ${status} OK`,
      'content-type: application/json',
      ...headers,
      `content-length: ${bytes.byteLength}`,
    ]
    socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes]))
  }
  switch (behaviour.kind) {
    case 'answer':
      answer(behaviour)
      return
    case 'gated':
      void behaviour.gate.promise.then(() =>
        answer({ kind: 'answer', ...(behaviour.body === undefined ? {} : { body: behaviour.body }) }),
      )
      return
    case 'raw':
      socket.write(behaviour.bytes, 'latin1')
      return
    case 'reset':
      socket.resetAndDestroy()
      return
    case 'reset-in-body':
    case 'stall':
      return
    case 'reset-after-headers':
      socket.write('HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n', () => socket.resetAndDestroy())
      return
    case 'half-body':
      socket.end('HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{"id":"pay')
      return
    case 'stall-in-body':
      socket.write('HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{"id":"pay')
      return
  }
}
