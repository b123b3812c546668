import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import http, { type Agent, type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import type { Readable } from 'node:stream'
import { createSecureContext } from 'node:tls'
import type { Clock } from '@/sdk/clock'
import type { UpstreamConfig } from '../config/schema'
import { AnswerLostError, NotSentError } from './errors'

export type UpstreamRequest = {
  method: string
  /** With its query. */
  path: string
  /** Raw pairs, length included. */
  headers: readonly string[]
  body: Uint8Array | Readable | null
  deadlineMs: number
  /** Aborts what was not sent yet; what may have left is not called back. */
  signal?: AbortSignal
}

export type Upstream = {
  /** Its own, as a Host header; null = the client's is passed on. */
  readonly host: string | null
  /**
   * Sends once and resolves with the head of the answer, whose body is then to be read before the deadline. Throws NotSentError
   * or AnswerLostError, nothing else.
   */
  send(request: UpstreamRequest): Promise<UpstreamAnswer>
  /** Closes idle connections; those in use end with their requests. */
  close(): void
}

export type UpstreamAnswer = {
  head: IncomingMessage
  /** Ends the deadline: the body has been read, or is somebody else's care. */
  settle(): void
  timedOut(): boolean
}

export function createUpstream(config: UpstreamConfig, clock: Clock): Upstream {
  const url = new URL(config.url)
  const secure = url.protocol === 'https:'
  const agent = createAgent(config, secure)
  const base = url.pathname.replace(/\/$/, '')
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  const target = {
    agent,
    hostname,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    ...(secure && isIP(hostname) === 0 ? { servername: hostname } : {}),
  }
  return {
    host: config.preserveHost ? null : url.host,
    close: () => agent.destroy(),
    async send({ method, path, headers, body, deadlineMs, signal }) {
      if (signal?.aborted) throw notSent(signal.reason)
      let request: ClientRequest
      try {
        request = (secure ? https : http).request({ ...target, method, path: base + path, headers })
      } catch (error) {
        // node:http refuses to write it: a header, the method, the certificates.
        throw notSent(error)
      }
      const connectTimeoutMs = config.connectTimeout
      return sendOnce({ request, body, secure, clock, deadlineMs, connectTimeoutMs, signal })
    },
  }
}

const notSent = (cause: unknown) =>
  new NotSentError(cause instanceof Error ? cause.message : String(cause), { cause })

function createAgent({ keepAlive, connections, caFile }: UpstreamConfig, secure: boolean): Agent {
  const options = {
    keepAlive: keepAlive > 0,
    // Of an idle connection; the agent sees to it that none in use ends by it.
    timeout: keepAlive > 0 ? keepAlive : undefined,
    maxSockets: connections,
    maxFreeSockets: connections,
    // The one that was used last is the least likely to be closed by the other side.
    scheduling: 'lifo' as const,
  }
  if (!secure) return new http.Agent(options)
  if (caFile === undefined) return new https.Agent(options)
  const ca = readFileSync(caFile)
  // What is no certificate is to be known now, and not by the first request.
  try {
    new X509Certificate(ca)
    createSecureContext({ ca })
  } catch (cause) {
    throw new Error(`caFile has no certificate: ${caFile} must be PEM`, { cause })
  }
  return new https.Agent({ ...options, ca })
}

type Sending = {
  request: ClientRequest
  body: UpstreamRequest['body']
  secure: boolean
  clock: Clock
  deadlineMs: number
  connectTimeoutMs: number
  signal: AbortSignal | undefined
}

function sendOnce({
  request,
  body,
  secure,
  clock,
  deadlineMs,
  connectTimeoutMs,
  signal,
}: Sending): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    /** From when on bytes of the request may have left. */
    let mayBeSent = false
    let timedOut = false
    let isAnswered = false
    // From here on, so that waiting for a free connection counts: what nobody has sent by then, nobody sends later.
    let cancelConnect = () => {}
    let isOver = false
    // Most have a kept connection by the next tick, and need no timer.
    process.nextTick(() => {
      if (mayBeSent || isOver) return
      cancelConnect = clock.after(connectTimeoutMs, () =>
        end(new Error(`no connection within ${connectTimeoutMs} ms`)),
      )
    })
    const withdraw = () => {
      if (!mayBeSent) end(new Error('the key was lost before anything was sent'))
    }
    signal?.addEventListener('abort', withdraw, { once: true })
    const leave = () => {
      mayBeSent = true
      cancelConnect()
      signal?.removeEventListener('abort', withdraw)
    }
    const cancelDeadline = clock.after(deadlineMs, () => {
      timedOut = true
      end(new Error(`no whole answer within ${deadlineMs} ms`))
    })
    const settle = () => {
      isOver = true
      cancelConnect()
      cancelDeadline()
      signal?.removeEventListener('abort', withdraw)
    }
    const fail = (error: Error) => {
      settle()
      const facts = { timedOut, ...(request.reusedSocket ? { keptConnection: true } : {}) }
      reject(
        mayBeSent ? new AnswerLostError(error.message, 'waiting', facts, { cause: error }) : notSent(error),
      )
    }
    /** What waits for a connection tells of its end only when it gets one; nothing is written then. */
    const end = (error: Error) => {
      request.destroy(error)
      fail(error)
    }
    request.on('socket', (socket) => {
      // A kept connection takes the request at once, be it closed by the other side or not.
      if (request.reusedSocket || !socket.connecting) {
        leave()
        return
      }
      socket.once(secure ? 'secureConnect' : 'connect', leave)
    })
    request.on('response', (head) => {
      // Somebody reads it and hears of its errors; until then they must not end the process.
      head.on('error', () => {})
      isAnswered = true
      resolve({ head, settle, timedOut: () => timedOut })
    })
    request.on('error', fail)
    // A change of protocol that nobody asked for ends a connection without an error and without an answer.
    request.on('close', () => {
      if (!isAnswered) fail(new Error('the connection ended without an answer'))
    })
    if (body === null || body instanceof Uint8Array) {
      request.end(body ?? undefined)
      return
    }
    body.pipe(request)
    body.once('error', end)
    body.once('close', () => {
      if (!body.readableEnded) end(new Error('the client went away while it was sending'))
    })
  })
}
