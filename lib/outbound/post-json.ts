import { type IncomingHttpHeaders, request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { isIP } from 'node:net'
import { checkUrl, type Destination } from './check-url'

/** The start of an answer is kept; the rest is not read. */
const BODY_BYTES_MAX = 4_096

export type Posted = {
  /** `answered` = a status of HTTP or SMTP came, whatever it is; `refused` = nothing was sent; `failed` = no answer came. */
  kind: 'answered' | 'refused' | 'failed'
  status: number | null
  /** The beginning of the answer's body, as it came. */
  body: string | null
  error: string | null
  /** When the receiver wants to be asked again; null = it does not say. */
  retryAfterMs: number | null
  durationMs: number
}

type Options = {
  headers: Record<string, string>
  body: string
  /** Over all: name, connection, answer. */
  timeoutMs: number
  /** Networks of our own that may be reached, in CIDR notation. */
  allow: readonly string[]
}

/** POSTs JSON to a URL that a person entered: resolved, then pinned; redirects are answers and are not followed. Never throws. */
export async function postJson(url: string, options: Options): Promise<Posted> {
  const startedMs = performance.now()
  const took = () => Math.round(performance.now() - startedMs)
  const none = { status: null, body: null, retryAfterMs: null }
  const timeout = AbortSignal.timeout(options.timeoutMs)
  try {
    const checked = await Promise.race([checkUrl(url, options.allow), aborted(timeout)])
    if (checked.kind === 'refused')
      return { kind: 'refused', ...none, error: checked.why, durationMs: took() }
    const answer = await send(checked, options, timeout)
    return { kind: 'answered', ...answer, error: null, durationMs: took() }
  } catch (cause) {
    const error = timeout.aborted ? noAnswerWithin(options.timeoutMs) : messageOf(cause)
    return { kind: 'failed', ...none, error, durationMs: took() }
  }
}

export const noAnswerWithin = (timeoutMs: number): string => `No answer within ${timeoutMs / 1000} s.`

/** A name that does not resolve is waited for no longer than the rest. */
export const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason), { once: true }))

function send(
  { url, address }: Destination,
  { headers, body }: Options,
  signal: AbortSignal,
): Promise<Pick<Posted, 'status' | 'body' | 'retryAfterMs'>> {
  const secure = url.protocol === 'https:'
  const name = url.hostname.replace(/^\[|\]$/g, '')
  return new Promise((done, fail) => {
    const request = (secure ? requestSecure : requestPlain)({
      host: address,
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      // The certificate has to be the name's, though the address is what is connected to.
      ...(secure && isIP(name) === 0 ? { servername: name } : {}),
      headers: {
        host: url.host,
        'content-type': 'application/json',
        'user-agent': 'idemscope',
        ...headers,
        'content-length': Buffer.byteLength(body),
      },
      agent: false,
      signal,
    })
    request.on('error', fail)
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const end = () => {
        const start = Buffer.concat(chunks).subarray(0, BODY_BYTES_MAX)
        done({
          status: response.statusCode ?? 0,
          body: start.toString('utf8'),
          retryAfterMs: retryAfterOf(response.headers),
        })
      }
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes < BODY_BYTES_MAX) return
        end()
        request.destroy()
      })
      response.once('end', end)
      response.on('error', fail)
    })
    request.end(body)
  })
}

/** Retry-After is seconds or a date; a date is held against the receiver's own clock. */
function retryAfterOf({ 'retry-after': after, date }: IncomingHttpHeaders): number | null {
  if (after === undefined) return null
  const ms = /^\d+$/.test(after.trim()) ? Number(after) * 1000 : Date.parse(after) - Date.parse(date ?? '')
  return Number.isFinite(ms) && ms >= 0 ? ms : null
}

/** Node names a refused connection only in the code of each of its attempts. */
export function messageOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join('; ')
  return cause instanceof Error ? cause.message : String(cause)
}
