import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { createTransport } from 'nodemailer'
import { checkHost } from './check-url'
import { aborted, messageOf, noAnswerWithin, type Posted } from './post-json'

export type MailServer = {
  host: string
  port: number
  /** `tls` from the first byte; `starttls` = upgraded before anything is said; `none` only inside. */
  security: 'tls' | 'starttls' | 'none'
  username?: string | undefined
  password?: string | undefined
}

export type Mail = {
  from: string
  to: readonly string[]
  subject: string
  text: string
  headers: Record<string, string>
  messageId: string
  /** Of the message that this one belongs under. */
  inReplyTo?: string
}

/** A server says little: what goes on beyond this is no SMTP. */
const ANSWER_BYTES_MAX = 16_384

/**
 * Hands a mail to the SMTP server that a person entered: resolved, then pinned. `status` is SMTP's own code; a mail
 * that is taken for a part of its recipients is taken. Never throws.
 */
export async function sendMail(
  server: MailServer,
  mail: Mail,
  { timeoutMs, allow }: { timeoutMs: number; allow: readonly string[] },
): Promise<Posted> {
  const startedMs = performance.now()
  const took = () => Math.round(performance.now() - startedMs)
  const none = { status: null, body: null, retryAfterMs: null }
  const timeout = AbortSignal.timeout(timeoutMs)
  let socket: Socket | undefined
  try {
    const checked = await Promise.race([checkHost(server.host, allow), aborted(timeout)])
    if (checked.kind === 'refused')
      return { kind: 'refused', ...none, error: checked.why, durationMs: took() }
    if (server.security === 'none' && !checked.inner) {
      const error = `${server.host} is outside: it must be TLS.`
      return { kind: 'refused', ...none, error, durationMs: took() }
    }
    socket = connect({ host: checked.address, port: server.port })
    await Promise.race([once(socket, 'connect'), aborted(timeout)])
    const answer = await Promise.race([hand(socket, server, mail, timeoutMs), aborted(timeout)])
    return { kind: 'answered', ...none, ...answer, error: null, durationMs: took() }
  } catch (cause) {
    if (timeout.aborted)
      return { kind: 'failed', ...none, error: noAnswerWithin(timeoutMs), durationMs: took() }
    const { responseCode, response } = cause as { responseCode?: number; response?: string }
    if (responseCode !== undefined) {
      const said = { status: responseCode, body: response ?? null, retryAfterMs: null }
      return { kind: 'answered', ...said, error: messageOf(cause), durationMs: took() }
    }
    return { kind: 'failed', ...none, error: messageOf(cause), durationMs: took() }
  } finally {
    socket?.destroy()
  }
}

async function hand(socket: Socket, server: MailServer, mail: Mail, timeoutMs: number) {
  const transport = createTransport({
    connection: socket,
    host: server.host,
    port: server.port,
    secure: server.security === 'tls',
    requireTLS: server.security === 'starttls',
    ignoreTLS: server.security === 'none',
    // The certificate has to be the name's, though the address is what is connected to.
    tls: isIP(server.host) === 0 ? { servername: server.host } : {},
    ...(server.username === undefined
      ? {}
      : { auth: { user: server.username, pass: server.password ?? '' } }),
    // Its own time-outs come after ours, which says how long it was.
    connectionTimeout: 2 * timeoutMs,
    greetingTimeout: 2 * timeoutMs,
    socketTimeout: 2 * timeoutMs,
    maxResponseSize: ANSWER_BYTES_MAX,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const { response, rejected } = await transport.sendMail({ ...mail, to: [...mail.to] })
  const missed = rejected.length === 0 ? '' : `Not taken for ${rejected.join(', ')}. `
  return { status: Number(response.slice(0, 3)), body: `${missed}${response}` }
}
