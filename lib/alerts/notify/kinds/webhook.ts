import { createHmac, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '@/lib/core/canonical-json'
import type { Message } from '../message'
import { httpAnswered, kindOf } from './kind'

const PREFIX = 'whsec_'
/** Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES = 32

/** A signing secret in the form of Standard Webhooks. */
export const newSigningSecret = (): string => `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`

export const webhookSecret = z.strictObject({
  url: z.string(),
  /** Receivers of the first release have none. */
  signingSecret: z.string().startsWith(PREFIX).optional(),
})

/** JSON that says all, signed by Standard Webhooks 1.0. Its body is documented in docs/guides/alerts.md. */
export const webhook = kindOf({
  secret: webhookSecret,
  target: ({ url }) => ({ url }),
  render: (message, { url, signingSecret }) => {
    const body = canonicalJson(bodyOf(message))
    const signed = signingSecret === undefined ? {} : signatureOf(message, body, signingSecret)
    return [{ via: 'http', url, headers: { 'idempotency-key': `"${message.dedupeKey}"`, ...signed }, body }]
  },
  answered: (posted) => httpAnswered(posted),
})

/** Fields are added, never changed. */
function bodyOf(message: Message): Record<string, unknown> {
  const { count, raises, firing, incident, open, replaces } = message
  return {
    version: 1,
    event: message.event,
    dedupeKey: message.dedupeKey,
    environment: message.environment,
    alert: message.alerts[0] ?? null,
    title: message.title,
    text: message.text,
    url: message.url,
    sentAt: message.sentAt,
    severity: message.severity,
    system: message.system === '' ? null : message.system,
    group: { incident, replaces, open, count, raises, firing },
    alerts: message.alerts,
    changes: message.changes,
    acknowledgeUrl: message.acknowledgeUrl,
    acknowledgement: message.acknowledgement,
  }
}

/** The same id on every try; the time is that of this one. */
function signatureOf({ dedupeKey, sentAt }: Message, body: string, secret: string): Record<string, string> {
  const timestamp = String(Math.floor(sentAt.getTime() / 1000))
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
  const signature = createHmac('sha256', key).update(`${dedupeKey}.${timestamp}.${body}`).digest('base64')
  return {
    'webhook-id': dedupeKey,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  }
}
