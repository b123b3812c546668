import { createHmac } from 'node:crypto'
import { IdempotencyOptionsError } from '../errors'
import type { OutboxMessage } from '../outbox/message'
import type { Publisher, PublishResult } from '../outbox/publisher'

export type WebhookPublisherOptions = {
  /** Where a message goes; https, but for tests on this machine. */
  url: string | ((message: OutboxMessage) => string)
  /** `whsec_` and base64, as in Standard Webhooks. Several: all sign, so that a receiver can change over. */
  secret: string | readonly string[]
  /** Messages under way at once. Default 50. */
  batchMax?: number
  fetch?: typeof fetch
  /** The time of the wall, for the signature. Default Date.now. */
  dateNowMs?: () => number
}

/** The receiver is there, but not for this message, ever. */
const PERMANENT = new Set([410])
/** It says that it cannot now: nothing of the message. */
const UNAVAILABLE = new Set([408, 425, 429, 500, 502, 503, 504])
const ANSWER_LENGTH_MAX = 500

/**
 * Signed webhooks by the Standard Webhooks specification: `webhook-id` is the message's id, by which the receiver drops what comes
 * twice. Any 2xx confirms.
 */
export function createWebhookPublisher(options: WebhookPublisherOptions): Publisher {
  const {
    url,
    batchMax = 50,
    fetch = globalThis.fetch,
    dateNowMs = () => performance.timeOrigin + performance.now(),
  } = options
  const keys = [options.secret].flat().map(decodeSecret)
  const urlOf = typeof url === 'string' ? () => url : url

  async function post(message: OutboxMessage, signal: AbortSignal): Promise<PublishResult | Error> {
    const timestamp = String(Math.floor(dateNowMs() / 1000))
    const signed = Buffer.concat([Buffer.from(`${message.id}.${timestamp}.`), message.payload])
    const signature = keys
      .map((key) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
      .join(' ')
    const { traceparent, tracestate } = message.headers
    const headers = {
      'content-type': message.headers['content-type'] ?? 'application/octet-stream',
      'webhook-id': message.id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature,
      'webhook-topic': message.topic,
      'webhook-type': message.type,
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(tracestate === undefined ? {} : { tracestate }),
    }
    try {
      const body = Uint8Array.from(message.payload)
      const response = await fetch(urlOf(message), {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
        signal,
      })
      if (response.ok) {
        await response.body?.cancel()
        return { kind: 'confirmed' }
      }
      const answer = (await response.text()).slice(0, ANSWER_LENGTH_MAX)
      const error = `the receiver answered ${response.status} ${answer}`.trim()
      if (UNAVAILABLE.has(response.status)) return new Error(error)
      return { kind: 'refused', error, permanent: PERMANENT.has(response.status) }
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  return {
    system: 'webhook',
    keepsOrder: false,
    batchMax,
    async publish(messages, signal) {
      const ended = await Promise.all(messages.map((message) => post(message, signal)))
      const failures = ended.filter((each) => each instanceof Error)
      // Receivers differ: where one answers, what cannot be reached is the fault of its own messages.
      if (failures.length === ended.length && failures[0] !== undefined) throw failures[0]
      return ended.map((each) =>
        each instanceof Error
          ? { kind: 'refused', error: `${each.message} ${each.cause ?? ''}`.trim() }
          : each,
      )
    },
  }
}

function decodeSecret(secret: string): Buffer {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  if (key.byteLength < 24 || key.byteLength > 64)
    throw new IdempotencyOptionsError(['secret must be whsec_ and 24 to 64 bytes in base64'])
  return key
}
