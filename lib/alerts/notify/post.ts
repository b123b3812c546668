import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { redactText } from '@/lib/core/redact'
import { env } from '@/lib/env'
import { type Posted, postJson } from '@/lib/outbound/post-json'
import { openSecret } from '@/lib/sources/credentials'

/** A receiver takes a note and works later: one that needs longer is not to be waited for. */
const TIMEOUT_MS = 10_000
/** Enough of an answer to know what is wrong with it. */
const BODY_CHARS_SHOWN = 500

const secretSchema = z.object({ url: z.string() })

/** Sends one message to a receiver, and gives its real answer with what is secret in it left out. Never inside a transaction. */
export async function postTo(
  receiver: { id: string; secret: Uint8Array },
  message: { headers: Record<string, string>; body: string },
): Promise<Posted> {
  const { IDEMSCOPE_CREDENTIALS_KEY: key, IDEMSCOPE_OUTBOUND_ALLOW: allow } = env()
  if (key === undefined)
    throw new AppError('invalid', 'IDEMSCOPE_CREDENTIALS_KEY is not set: receivers cannot be reached.')
  const url = openUrl(key, receiver)
  if (url instanceof AppError)
    return { kind: 'refused', status: null, body: null, error: url.message, durationMs: 0 }
  const posted = await postJson(url, { ...message, timeoutMs: TIMEOUT_MS, allow })
  return {
    ...posted,
    body: posted.body === null ? null : redactText(posted.body).slice(0, BODY_CHARS_SHOWN),
  }
}

/** One receiver whose URL does not open is no reason to keep it from the others. */
function openUrl(key: string, { id, secret }: { id: string; secret: Uint8Array }): string | AppError {
  try {
    return secretSchema.parse(openSecret(key, id, secret)).url
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

export const accepted = ({ status }: Posted): boolean => status !== null && status >= 200 && status < 300
