import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Consumer, Disposition } from '../../../sdk/consume'
import { systemClock } from '../../clock'
import { problem } from '../answers'
import { faultHeader } from '../fault-points'

const ageMaxS = 300

/**
 * Takes signed webhooks (Standard Webhooks) for the consumers, each on a path of its topic. What is to come later is refused with a
 * status that costs this message an attempt; 410 says that no attempt will ever help.
 */
export function createReceiver(consumers: readonly Consumer[], secret: string, hasFaults: boolean) {
  const byTopic = new Map(consumers.map((consumer) => [consumer.topic, consumer]))
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return async (request: Request): Promise<Response> => {
    const url = new URL(request.url)
    const consumer = byTopic.get(url.pathname.slice('/messages/'.length))
    if (consumer === undefined) return problem(404, 'Nobody consumes this topic')
    const payload = Buffer.from(await request.arrayBuffer())
    const { headers } = request
    if (!isSigned(key, headers, payload)) return problem(401, 'The signature is wrong or too old')
    const fault = hasFaults ? url.searchParams.get('fault') : null
    return answer(
      await consumer.handle({
        id: headers.get('webhook-id') ?? '',
        type: headers.get('webhook-type') ?? '',
        headers: {
          ...kept(headers, ['content-type', 'traceparent', 'tracestate']),
          ...(fault === null ? {} : { [faultHeader]: fault }),
        },
        payload,
      }),
    )
  }
}

const kept = (headers: Headers, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = headers.get(name)
      return value === null ? [] : [[name, value] as const]
    }),
  )

function answer(disposition: Disposition): Response {
  switch (disposition.kind) {
    case 'done':
      return new Response(null, { status: 204 })
    case 'later': {
      const { reason, error } = disposition
      return problem(reason === 'store_unavailable' ? 503 : 409, reason, textOf(error))
    }
    case 'parked':
      return problem(410, disposition.reason)
  }
}

const textOf = (error: unknown): string | undefined =>
  error === undefined ? undefined : error instanceof Error ? error.message : String(error)

function isSigned(key: Buffer, headers: Headers, payload: Buffer): boolean {
  const id = headers.get('webhook-id')
  const timestamp = headers.get('webhook-timestamp')
  if (id === null || timestamp === null) return false
  if (!(Math.abs(systemClock.nowMs() / 1000 - Number(timestamp)) <= ageMaxS)) return false
  const signed = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(payload).digest()
  const sent = headers.get('webhook-signature')?.split(' ') ?? []
  return sent.some((each) => {
    const [version, signature = ''] = each.split(',')
    const bytes = Buffer.from(signature, 'base64')
    return version === 'v1' && bytes.byteLength === signed.byteLength && timingSafeEqual(bytes, signed)
  })
}
