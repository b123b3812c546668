import type { PoolClient } from 'pg'
import { type IdempotentOptions, idempotent } from '@/sdk/idempotent'

/** Text that compresses well. */
export const LARGE_TEXT = 'The same sentence over and over. '.repeat(1_000)

const STREAMED = ['begun, ', 'ended']

/**
 * The handler that every adapter of the suite serves, in this process or in another: what it does, the test asks for by
 * `x-act`; what it did, and when it may go on, is the control server's to know.
 */
export function createPayments<Extra = undefined>(
  options: Pick<IdempotentOptions<PoolClient, Extra>, 'store' | 'keySecret'>,
  controlUrl: string,
  onceExecuted: () => Promise<void> | void = () => {},
) {
  const tell = async (what: string, key: string | null) => {
    const response = await fetch(`${controlUrl}/${what}?key=${encodeURIComponent(key ?? '')}`, {
      method: 'POST',
    })
    return response.text()
  }
  return idempotent<PoolClient, Extra>(
    async (request, ctx) => {
      if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow: 'POST' } })
      const act = request.headers.get('x-act') ?? 'charge'
      const text = Buffer.from(await request.arrayBuffer()).toString('latin1')
      await tell('work', ctx.key)
      if (act === 'throw') throw new Error('thrown before any effect')
      const charge =
        request.method === 'GET' || request.method === 'HEAD'
          ? { reference: null }
          : await ctx.effect('charge', { name: 'provider.charge' }, async ({ idempotencyKey }) => ({
              reference: await tell('charge', idempotencyKey),
            }))
      if (act === 'throw-after') throw new Error('thrown after the effect')
      if (act === 'throw-answer') throw Response.json({ thrown: true }, { status: 402 })
      if (act === 'no-content') return new Response(null, { status: 204 })
      if (act === 'large')
        return new Response(LARGE_TEXT, { headers: { 'content-type': 'text/plain; charset=utf-8' } })
      if (act === 'stream') return streamed(() => tell('stream', ctx.key))
      await onceExecuted()
      const { pathname } = new URL(request.url)
      return Response.json(
        { id: charge.reference, text, pathname },
        {
          status: 201,
          headers: {
            location: `/v1/payments/${charge.reference}`,
            etag: `"${charge.reference}"`,
            'x-request-id': crypto.randomUUID(),
            'set-cookie': 'seen=1; Path=/',
          },
        },
      )
    },
    {
      ...options,
      scope: (request) => {
        const caller = request.headers.get('x-api-client') ?? 'web'
        return caller === 'nobody'
          ? new Response('who are you?', { status: 401 })
          : { caller, route: '/v1/payments' }
      },
    },
  )
}

function streamed(mayEnd: () => Promise<unknown>): Response {
  const [begun, ended] = STREAMED.map((text) => new TextEncoder().encode(text))
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(begun ?? new Uint8Array()),
    async pull(controller) {
      await mayEnd()
      controller.enqueue(ended ?? new Uint8Array())
      controller.close()
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/plain; charset=utf-8' } })
}
