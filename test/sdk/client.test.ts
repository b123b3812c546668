import { Readable } from 'node:stream'
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { afterEach, describe, expect, it } from 'vitest'
import { createIdempotentFetch, type IdempotentFetchOptions } from '@/sdk/client'
import type { Clock } from '@/sdk/clock'

/** Turns of the event loop that reading a small body may take: one on Node 20 and 22, two on 24. */
const TURNS = 10

/** Time that goes on by itself to the next timer: a wait of an hour takes nothing. */
function createFakeClock() {
  let nowMs = 0
  let serial = 0
  const timers = new Map<number, { atMs: number; call: () => void }>()
  const waits: number[] = []
  const clock: Clock = {
    nowMs: () => nowMs,
    after(delayMs, call) {
      const id = ++serial
      timers.set(id, { atMs: nowMs + delayMs, call })
      return () => timers.delete(id)
    },
  }
  /** Fires the earliest timer whenever the code under test waits for one. */
  async function drive<T>(work: Promise<T>): Promise<T> {
    let done = false
    const settled = work.finally(() => {
      done = true
    })
    settled.catch(() => {})
    while (!done) {
      for (let turn = 0; turn < TURNS && !done; turn++) await new Promise((resolve) => setImmediate(resolve))
      if (done) break
      const [first] = [...timers].sort(([, a], [, b]) => a.atMs - b.atMs)
      if (first === undefined) continue
      timers.delete(first[0])
      waits.push(first[1].atMs - nowMs)
      nowMs = first[1].atMs
      first[1].call()
    }
    return settled
  }
  return { clock, waits, drive, nowMs: () => nowMs }
}

type Answer = Response | 'refused' | 'hangs'

function setUp(answers: Answer[], options: IdempotentFetchOptions = {}) {
  const time = createFakeClock()
  const sent: { key: string | null; headers: Headers; body: string; atMs: number; init: RequestInit }[] = []
  const send = createIdempotentFetch({
    clock: time.clock,
    dateNowMs: () => 1_700_000_000_000 + time.nowMs(),
    random: () => 0.5,
    ...options,
    fetch: async (url, init) => {
      const request = new Request(url, init)
      const headers = request.headers
      sent.push({
        key: headers.get('idempotency-key'),
        headers,
        body: await request.text(),
        atMs: time.nowMs(),
        init,
      })
      const answer = answers[Math.min(sent.length, answers.length) - 1] ?? 'refused'
      if (answer === 'refused') throw new TypeError('fetch failed')
      if (answer !== 'hangs') return answer
      return new Promise((_, reject) =>
        init.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
      )
    },
  })
  const post = (init: Parameters<typeof send>[1] = {}) =>
    time.drive(send('http://service.test/v1/payments', { method: 'POST', body: '{"a":1}', ...init }))
  return { post, sent, time }
}

const status = (code: number, headers: Record<string, string> = {}) =>
  new Response(null, { status: code, headers })

describe('the key', () => {
  it('is made once, quoted, and the same in every attempt with the same body', async () => {
    const { post, sent } = setUp(['refused', status(503), status(201)])
    expect((await post()).status).toBe(201)
    expect(sent).toHaveLength(3)
    expect(sent[0]?.key).toMatch(/^"[0-9a-f-]{36}"$/)
    expect(new Set(sent.map(({ key }) => key)).size).toBe(1)
    expect(new Set(sent.map(({ body }) => body))).toEqual(new Set(['{"a":1}']))
  })

  it('differs between operations, may be the caller’s own, and is escaped', async () => {
    const { post, sent } = setUp([status(201)])
    await post()
    await post()
    await post({ idempotencyKey: 'order "7"' })
    expect(sent[0]?.key).not.toBe(sent[1]?.key)
    expect(sent[2]?.key).toBe('"order \\"7\\""')
    await expect(post({ idempotencyKey: 'not\nvisible' })).rejects.toThrow(RangeError)
  })

  it('may be given as the header itself, but not as two different ones', async () => {
    const { post, sent } = setUp(['refused', status(201)])
    await post({ headers: { 'Idempotency-Key': '"order-7"' } })
    await post({ headers: { 'Idempotency-Key': 'order-8' }, idempotencyKey: 'order-8' })
    expect(sent.map(({ key }) => key)).toEqual(['"order-7"', '"order-7"', '"order-8"'])
    await expect(post({ headers: { 'Idempotency-Key': 'a' }, idempotencyKey: 'b' })).rejects.toThrow(
      'give one',
    )
    await expect(post({ headers: { 'Idempotency-Key': '"a' } })).rejects.toThrow(RangeError)
    expect(sent).toHaveLength(3)
  })
})

describe('the body', () => {
  it('of a stream is read once', async () => {
    const { post, sent } = setUp(['refused', status(201)])
    await post({ body: new Blob(['streamed']).stream() })
    expect(sent.map(({ body }) => body)).toEqual(['streamed', 'streamed'])
  })

  it('of a form has one boundary in every attempt', async () => {
    const { post, sent } = setUp(['refused', status(503), status(201)])
    const body = new FormData()
    body.append('invoice', new Blob(['pdf'], { type: 'application/pdf' }), 'a.pdf')
    await post({ body })
    expect(sent[0]?.body).toContain('filename="a.pdf"')
    expect(new Set(sent.map((one) => one.body)).size).toBe(1)
    expect(new Set(sent.map((one) => one.headers.get('content-type'))).size).toBe(1)
    expect(sent[0]?.body.split('\r\n', 1)[0]).toBe(
      `--${sent[0]?.headers.get('content-type')?.replace(/^.*boundary=/, '')}`,
    )
  })

  it.each([
    ['an iterable', (async function* () {})()],
    ['a stream of node', Readable.from(['text'])],
    ['an object', { amount: 10 }],
  ])('is refused with a clear word when it is %s', async (_, body) => {
    const { post, sent } = setUp([status(201)])
    await expect(post({ body: body as unknown as string })).rejects.toThrow(/a body must be .*Readable.toWeb/)
    expect(sent).toEqual([])
  })

  it.each([
    ['a stream', () => new Blob(['x'.repeat(11)]).stream()],
    ['text', () => 'x'.repeat(11)],
  ])('is refused when it is too large to be kept: %s', async (_, body) => {
    const { post, sent } = setUp([status(201)], { bodyBytesMax: 10 })
    await expect(post({ body: body() })).rejects.toThrow('bodyBytesMax (10)')
    expect(sent).toEqual([])
  })

  it('that stalls is waited for until the deadline, or until the caller aborts', async () => {
    const { post, sent, time } = setUp([status(201)], { totalTimeoutMs: 5_000 })
    const cancelled: unknown[] = []
    const stalled = () => new ReadableStream({ cancel: (reason) => void cancelled.push(reason) })
    await expect(post({ body: stalled() })).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(time.nowMs()).toBe(5_000)
    await expect(post({ body: stalled(), signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
    expect([sent, cancelled.length]).toEqual([[], 2])
  })

  it('goes with whatever else fetch was given', async () => {
    const { post, sent } = setUp([status(201)])
    const dispatcher = {}
    await post({ dispatcher, keepalive: true } as RequestInit)
    expect(sent[0]?.init).toMatchObject({ dispatcher, keepalive: true, method: 'POST' })
  })
})

describe('what is retried', () => {
  it.each([
    [408, {}, true],
    [425, {}, true],
    [429, {}, true],
    [500, {}, true],
    [502, {}, true],
    [503, {}, true],
    [504, {}, true],
    [409, { 'retry-after': '1' }, true],
    [409, {}, false],
    [500, { 'idempotent-replayed': 'true' }, false],
    [501, {}, false],
    [200, {}, false],
    [302, {}, false],
    [400, {}, false],
    [401, {}, false],
    [402, {}, false],
    [404, {}, false],
    [413, {}, false],
    [422, {}, false],
  ])('%i %o: %s', async (code, headers, retried) => {
    const { post, sent } = setUp([status(code, headers), status(201)])
    expect((await post()).status).toBe(retried ? 201 : code)
    expect(sent).toHaveLength(retried ? 2 : 1)
  })
})

it('retries although the answer before cannot be let go of', async () => {
  const broken = new ReadableStream({ start: (controller) => controller.error(new Error('reset')) })
  const { post, sent } = setUp([new Response(broken, { status: 503 }), status(201)])
  expect((await post()).status).toBe(201)
  expect(sent).toHaveLength(2)
})

describe('waiting', () => {
  it('doubles its bound up to the greatest, with full jitter', async () => {
    const { post, sent } = setUp([status(503)], { attemptsMax: 6, backoffBaseMs: 100, backoffMaxMs: 1_000 })
    expect((await post()).status).toBe(503)
    const gaps = sent.slice(1).map(({ atMs }, at) => atMs - (sent[at]?.atMs ?? 0))
    expect(gaps).toEqual([50, 100, 200, 400, 500])
  })

  it('waits at least as long as Retry-After says, in seconds or as a date', async () => {
    const date = new Date(1_700_000_000_000 + 60_000).toUTCString()
    const { post, sent } = setUp(
      [status(429, { 'retry-after': '7' }), status(503, { 'retry-after': date }), status(201)],
      {
        totalTimeoutMs: 600_000,
      },
    )
    await post()
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 7_100, expect.closeTo(60_200, -3)])
  })

  it('gives up an attempt at its timeout, and everything at the deadline', async () => {
    const hanging = setUp(['hangs', status(201)], { attemptTimeoutMs: 2_000 })
    expect((await hanging.post()).status).toBe(201)
    expect(hanging.time.waits[0]).toBe(2_000)
    const late = setUp([status(409, { 'retry-after': '5' })], { totalTimeoutMs: 12_000 })
    expect((await late.post()).status).toBe(409)
    expect(late.time.nowMs()).toBeLessThanOrEqual(12_000)
    expect(late.sent).toHaveLength(3)
    const never = setUp(['hangs'], { attemptTimeoutMs: 5_000, totalTimeoutMs: 8_000, attemptsMax: 10 })
    await expect(never.post({ idempotencyKey: 'kept' })).rejects.toMatchObject({
      name: 'IdempotentFetchError',
      idempotencyKey: 'kept',
      cause: { name: 'TimeoutError' },
    })
    expect(never.time.nowMs()).toBeLessThanOrEqual(8_000)
  })

  it('stops at the caller’s abort', async () => {
    const abort = new AbortController()
    const { post, sent } = setUp(['refused'], {
      onAttempt: ({ attempt }) => attempt === 2 && abort.abort(new Error('enough')),
    })
    await expect(post({ signal: abort.signal })).rejects.toThrow('enough')
    expect(sent).toHaveLength(2)
  })

  it('names the faults of its options', () => {
    expect(() => createIdempotentFetch({ attemptsMax: 0, backoffBaseMs: 1.5 })).toThrow(
      /attemptsMax.*backoffBaseMs/,
    )
  })
})

describe('the trace', () => {
  afterEach(() => {
    propagation.disable()
    context.disable()
  })

  it('is carried by every attempt', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
    const traceId = 'a'.repeat(32)
    const parent = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b'.repeat(16), traceFlags: 1 })
    const { post, sent } = setUp(['refused', status(201)])
    await context.with(parent, () => post())
    expect(sent.map(({ headers }) => headers.get('traceparent')?.slice(3, 35))).toEqual([traceId, traceId])
  })
})
