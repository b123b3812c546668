import { z } from 'zod'
import type { ReceiptEvent } from './events'

export interface MailAccount {
  readonly url: string
  readonly key: string
}

const timeoutMs = 5000
const sent = z.object({ id: z.string() })

class MailRefusedError extends Error {}

/** The provider says that it sent nothing. */
export const mailRefused = (error: unknown): boolean => error instanceof MailRefusedError

/** Sends a receipt; the provider sends it once for a key. Returns the mail's id. */
export async function sendMail(
  { url, key }: MailAccount,
  { email, reference, amountMinor, currency }: ReceiptEvent,
  metadata: Readonly<Record<string, string>>,
  idempotencyKey: string,
): Promise<string> {
  const body = new URLSearchParams({
    to: email,
    subject: `Your receipt for ${reference}: ${amountMinor} ${currency}`,
    ...Object.fromEntries(
      Object.entries({ ...metadata, reference }).map(([name, value]) => [`metadata[${name}]`, value]),
    ),
  })
  const response = await fetch(`${url}/v1/mails`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'idempotency-key': idempotencyKey },
    body,
    signal: AbortSignal.timeout(timeoutMs),
  })
  const text = await response.text()
  // 409: another call with this key is under way, and may well send it.
  if (response.status >= 400 && response.status < 500 && response.status !== 409)
    throw new MailRefusedError(`the mail was refused: ${response.status} ${text}`)
  if (!response.ok) throw new Error(`the mail service answered ${response.status}`)
  return sent.parse(JSON.parse(text)).id
}
