import { Readable } from 'node:stream'
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import axios from 'axios'
import ky from 'ky'
import { afterEach, describe, expect, it } from 'vitest'
import { addIdempotencyKeys } from '@/sdk/client/axios'
import { idempotencyKeys } from '@/sdk/client/ky'
import { problem, type Scripted, startScripted } from './scripted-server'

let server: Awaited<ReturnType<typeof startScripted>>
afterEach(() => server.close())

const OPTIONS = { attemptsMax: 4, backoffBaseMs: 1, backoffMaxMs: 2, random: () => 0 }
type Sent = { method?: string; body?: unknown; headers?: Record<string, string> }

/** Each sends once, and tells the status of what it got. */
const CLIENTS: Record<string, (sent?: Sent) => Promise<number>> = {
  async axios({ method = 'post', body = { a: 1 }, headers = {} } = {}) {
    const instance = axios.create()
    addIdempotencyKeys(instance, OPTIONS)
    const data = method === 'get' ? undefined : body
    const answer = await instance.request({ url: server.url, method, data, headers }).catch((error) => {
      if (axios.isAxiosError(error) && error.response !== undefined) return error.response
      throw error
    })
    return answer.status
  },
  async ky({ method = 'post', body = { a: 1 }, headers = {} } = {}) {
    const client = ky.create({ ...idempotencyKeys(OPTIONS), throwHttpErrors: true })
    const json = method === 'get' ? {} : { json: body }
    return client(server.url, { method, headers, ...json }).then(
      ({ status }) => status,
      (error) => {
        if ('response' in error) return error.response.status
        throw error
      },
    )
  },
}

describe.each(Object.entries(CLIENTS))('%s', (_, send) => {
  const serve = async (...answers: Scripted[]) => {
    server = await startScripted(answers)
  }

  it('sends one key and one body with every attempt', async () => {
    await serve('broken', { status: 503 }, problem(409, 'outstanding', { 'retry-after': '0' }), {
      status: 201,
    })
    expect(await send()).toBe(201)
    expect(server.seen.map(({ body }) => body)).toEqual(Array(4).fill('{"a":1}'))
    expect(server.seen[0]?.key).toMatch(/^"[0-9a-f-]{36}"$/)
    expect(new Set(server.seen.map(({ key }) => key)).size).toBe(1)
  })

  it('makes another key for another call, and leaves a given one alone', async () => {
    await serve({ status: 201 })
    await send()
    await send()
    await send({ headers: { 'Idempotency-Key': '"order-7"' } })
    const keys = server.seen.map(({ key }) => key)
    expect([new Set(keys).size, keys[2]]).toEqual([3, '"order-7"'])
  })

  it('gives reads no key', async () => {
    await serve({ status: 200 })
    expect(await send({ method: 'get' })).toBe(200)
    expect(server.seen[0]?.key).toBeUndefined()
  })

  it.each([
    [{ status: 409 }, 409],
    [{ status: 500, headers: { 'idempotent-replayed': 'true' } }, 500],
    [problem(422, 'key-reused'), 422],
  ])('does not retry %o', async (answer, status) => {
    await serve(answer)
    expect(await send()).toBe(status)
    expect(server.seen).toHaveLength(1)
  })

  it('waits for what an operator holds, as long as attempts are left', async () => {
    await serve(problem(503, 'held', { 'retry-after': '0' }))
    expect(await send()).toBe(503)
    expect(server.seen).toHaveLength(4)
  })

  it('carries the active trace', async () => {
    await serve({ status: 201 })
    const manager = new AsyncLocalStorageContextManager().enable()
    context.setGlobalContextManager(manager)
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
    try {
      const traceId = 'a'.repeat(32)
      const parent = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b'.repeat(16), traceFlags: 1 })
      await context.with(parent, () => send())
      expect(server.seen[0]?.headers.traceparent).toContain(traceId)
    } finally {
      propagation.disable()
      context.disable()
    }
  })
})

it('axios: refuses a stream, which could not be sent again', async () => {
  server = await startScripted([{ status: 201 }])
  await expect(CLIENTS.axios?.({ body: Readable.from(['x']) })).rejects.toThrow(
    /stream.*read it into bytes first/,
  )
  expect(server.seen).toEqual([])
})
