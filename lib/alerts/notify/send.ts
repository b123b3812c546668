import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { RECEIVER_KINDS } from '@/lib/core/receiver-kinds'
import { REDACTED, redactText } from '@/lib/core/redact'
import { env } from '@/lib/env'
import { type Posted, postJson } from '@/lib/outbound/post-json'
import { sendMail } from '@/lib/outbound/send-mail'
import { openSecret } from '@/lib/sources/credentials'
import type { Answered, Outgoing } from './kinds/kind'
import { KINDS } from './kinds/table'
import type { Message } from './message'

/** A receiver takes a note and works later: one that needs longer is not to be waited for. */
const TIMEOUT_MS = 10_000
/** Enough of an answer to know what is wrong with it. */
const BODY_CHARS_SHOWN = 500

/** What came back, and what it means. */
export type Sent = { posted: Posted; answered: Answered }

/**
 * Sends one message to a receiver, and gives its real answer with what is secret in it left out: the first one that was
 * not what it should be, or the last. Never inside a transaction.
 */
export async function sendTo(
  receiver: { id: string; kind: string; secret: Uint8Array },
  message: Message,
): Promise<Sent> {
  const { IDEMSCOPE_CREDENTIALS_KEY: key, IDEMSCOPE_OUTBOUND_ALLOW: allow } = env()
  if (key === undefined)
    throw new AppError('invalid', 'IDEMSCOPE_CREDENTIALS_KEY is not set: receivers cannot be reached.')
  const kind = KINDS[z.enum(RECEIVER_KINDS).parse(receiver.kind)]
  const secret = secretOf(key, receiver, kind)
  if (secret instanceof AppError) return notSent(secret.message)
  let sent = notSent('There is nothing to send.')
  for (const outgoing of kind.render(message, secret)) {
    const answer = await transmit(outgoing, allow)
    sent = { posted: shown(answer, credentialsIn(secret)), answered: kind.answered(answer) }
    if (sent.answered !== 'delivered') return sent
  }
  return sent
}

const transmit = (outgoing: Outgoing, allow: readonly string[]): Promise<Posted> =>
  outgoing.via === 'http'
    ? postJson(outgoing.url, { ...outgoing, timeoutMs: TIMEOUT_MS, allow })
    : sendMail(outgoing.server, outgoing.mail, { timeoutMs: TIMEOUT_MS, allow })

/** One receiver whose secret does not open is no reason to keep it from the others. */
function secretOf(
  key: string,
  { id, secret }: { id: string; secret: Uint8Array },
  kind: (typeof KINDS)[keyof typeof KINDS],
): unknown {
  try {
    return kind.secret.parse(openSecret(key, id, secret))
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

/** Nothing went over the wire. */
export const notSent = (error: string): Sent => ({
  posted: { kind: 'refused', status: null, body: null, error, retryAfterMs: null, durationMs: 0 },
  answered: 'failed',
})

const CREDENTIALS = ['routingKey', 'apiKey', 'password', 'bearerToken', 'signingSecret'] as const
/** A shorter one may stand in many a word. */
const CREDENTIAL_CHARS_MIN = 6

/** What of a secret is a credential, the path of its URL included: a receiver may send back what it was sent. */
function credentialsIn(secret: unknown): string[] {
  const { url, ...fields } = z.record(z.string(), z.unknown()).parse(secret)
  const { pathname, search } = new URL(typeof url === 'string' ? url : 'https://none/')
  return [pathname.slice(1), search.slice(1), ...CREDENTIALS.map((name) => fields[name])].filter(
    (text): text is string => typeof text === 'string' && text.length >= CREDENTIAL_CHARS_MIN,
  )
}

const shown = (posted: Posted, secrets: readonly string[]): Posted => {
  const open = (text: string) =>
    redactText(secrets.reduce((left, secret) => left.replaceAll(secret, REDACTED), text))
  return {
    ...posted,
    body: posted.body === null ? null : open(posted.body).slice(0, BODY_CHARS_SHOWN),
    error: posted.error === null ? null : open(posted.error).slice(0, BODY_CHARS_SHOWN),
  }
}
