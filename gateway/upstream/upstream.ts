import { readFileSync } from 'node:fs'
import http, { type Agent, type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import type { Readable } from 'node:stream'
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
    send({ method, path, headers, body, deadlineMs }) {
      const request = (secure ? https : http).request({ ...target, method, path: base + path, headers })
      return sendOnce({ request, body, secure, clock, deadlineMs, connectTimeoutMs: config.connectTimeout })
    },
  }
}

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
  return new https.Agent({ ...options, ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }) })
}

type Sending = {
  request: ClientRequest
  body: UpstreamRequest['body']
  secure: boolean
  clock: Clock
  deadlineMs: number
  connectTimeoutMs: number
}

function sendOnce({
  request,
  body,
  secure,
  clock,
  deadlineMs,
  connectTimeoutMs,
}: Sending): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    /** From when on bytes of the request may have left. */
    let mayBeSent = false
    let timedOut = false
    let cancelConnect = () => {}
    const cancelDeadline = clock.after(deadlineMs, () => {
      timedOut = true
      request.destroy(new Error(`no whole answer within ${deadlineMs} ms`))
    })
    const settle = () => {
      cancelConnect()
      cancelDeadline()
    }
    request.on('socket', (socket) => {
      // A kept connection takes the request at once, be it closed by the other side or not.
      if (request.reusedSocket || !socket.connecting) {
        mayBeSent = true
        return
      }
      cancelConnect = clock.after(connectTimeoutMs, () =>
        request.destroy(new Error(`no connection within ${connectTimeoutMs} ms`)),
      )
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        mayBeSent = true
        cancelConnect()
      })
    })
    request.on('response', (head) => {
      // Somebody reads it and hears of its errors; until then they must not end the process.
      head.on('error', () => {})
      resolve({ head, settle, timedOut: () => timedOut })
    })
    request.on('error', (error) => {
      settle()
      reject(
        mayBeSent
          ? new AnswerLostError(error.message, 'waiting', { timedOut }, { cause: error })
          : new NotSentError(error.message, { cause: error }),
      )
    })
    if (body === null || body instanceof Uint8Array) {
      request.end(body ?? undefined)
      return
    }
    body.pipe(request)
    body.once('error', (error) => request.destroy(error))
    body.once('close', () => {
      if (!body.readableEnded) request.destroy(new Error('the client went away while it was sending'))
    })
  })
}
