import { afterEach, describe, expect, it, vi } from 'vitest'
import { createIdempotentFetch, type KeyStorage, readIdempotencyProblem } from '@/sdk/client'
import { problem, type Scripted, startScripted } from './scripted-server'

let server: Awaited<ReturnType<typeof startScripted>>
afterEach(() => server.close())

/** As localStorage keeps it over a reload; AsyncStorage answers later. */
function createStorage(kind: 'at once' | 'later') {
  const kept = new Map<string, string>()
  const storage: KeyStorage = {
    getItem: (name) => {
      const key = kept.get(name) ?? null
      return kind === 'later' ? Promise.resolve(key) : key
    },
    setItem: async (name, key) => void kept.set(name, key),
    removeItem: (name) => kept.delete(name),
  }
  return { kept, storage }
}

async function setUp(answers: Scripted[], kind: 'at once' | 'later' = 'at once') {
  server = await startScripted(answers)
  const { kept, storage } = createStorage(kind)
  const problems: unknown[] = []
  /** A page, which knows nothing but what is in the storage. */
  const load = (attemptsMax = 1) => {
    const send = createIdempotentFetch({
      keyStorage: storage,
      attemptsMax,
      backoffBaseMs: 1,
      onAttempt: ({ problem }) => problems.push(problem?.kind ?? null),
    })
    return {
      pay: (operation = 'cart-7') => send(server.url, { method: 'POST', body: '{}', operation }),
      /** Its second attempt is put off. */
      payLate(operation: string, putOff: Promise<void>) {
        let attempts = 0
        const lateSend = createIdempotentFetch({
          ...{ keyStorage: storage, attemptsMax: 2, backoffBaseMs: 1 },
          async fetch(url, init) {
            attempts += 1
            if (attempts === 2) await putOff
            return fetch(url, init)
          },
        })
        return lateSend(server.url, { method: 'POST', body: '{}', operation })
      },
      forget: send.forget,
    }
  }
  return { load, kept, storage, problems, keys: () => server.seen.map(({ key }) => key) }
}

describe.each(['at once', 'later'] as const)('a storage that answers %s', (kind) => {
  it('gives a named operation the same key after a reload, until it is settled', async () => {
    const { load, kept, keys } = await setUp(
      ['broken', { status: 503 }, { status: 201 }, { status: 201 }],
      kind,
    )
    await expect(load().pay()).rejects.toThrow('no answer after 1 attempts')
    expect(kept.size).toBe(1)
    expect((await load().pay()).status).toBe(503)
    expect((await load().pay()).status).toBe(201)
    expect([kept.size, new Set(keys()).size]).toEqual([0, 1])
    await load().pay()
    expect(new Set(keys()).size).toBe(2)
  })

  it('gives two calls at once one key', async () => {
    const { load, keys } = await setUp([{ status: 201 }], kind)
    const page = load()
    await Promise.all([page.pay(), page.pay(), page.pay('cart-8')])
    expect(new Set(keys()).size).toBe(2)
  })
})

it('has kept the key before it is sent', async () => {
  const { load, storage, keys } = await setUp([{ status: 201 }])
  storage.setItem = () => {
    throw new DOMException('full', 'QuotaExceededError')
  }
  await expect(load().pay()).rejects.toThrow('full')
  expect(keys()).toEqual([])
})

it.each([
  [{ status: 201 }, true],
  [{ status: 402 }, true],
  [{ status: 303 }, true],
  [{ status: 404 }, true],
  [{ status: 500, headers: { 'idempotent-replayed': 'true' } }, true],
  [{ status: 422, headers: { 'idempotent-replayed': 'true' } }, true],
  [{ status: 500 }, false],
  [{ status: 401 }, false],
  [{ status: 400 }, false],
  [problem(409, 'unknown-outcome'), false],
  [problem(422, 'key-reused'), false],
])('%o settles it: %s', async (answer, settled) => {
  const { load, kept } = await setUp([answer])
  await load().pay()
  expect(kept.size).toBe(settled ? 0 : 1)
})

it('is given up where the user decides anew', async () => {
  const { load, keys } = await setUp([{ status: 500 }])
  const page = load()
  await page.pay()
  await page.forget('cart-7')
  await page.pay()
  expect(new Set(keys()).size).toBe(2)
})

it('is told what a service says of the key', async () => {
  const { load, problems } = await setUp([
    problem(503, 'held', { 'retry-after': '0' }),
    problem(409, 'outstanding', { 'retry-after': '0' }),
    { status: 500, headers: { 'content-type': 'application/problem+json' }, body: '{' },
    { status: 201 },
  ])
  const answer = await load(4).pay()
  expect([answer.status, await answer.text()]).toEqual([201, '{}'])
  expect(problems).toEqual(['held', 'outstanding', null, null])
})

it('reads a problem and leaves the answer to be read', async () => {
  server = await startScripted([])
  const body = JSON.stringify({ type: 'urn:idemscope:problem:held', detail: 'by grace' })
  const answer = new Response(body, { status: 503, headers: { 'content-type': 'application/problem+json' } })
  expect(await readIdempotencyProblem(answer)).toEqual({ kind: 'held', detail: 'by grace' })
  expect(await answer.text()).toBe(body)
  expect(await readIdempotencyProblem(answer)).toBeNull()
  const other = new Response('{"type":"about:blank"}', {
    status: 503,
    headers: { 'content-type': 'application/problem+json' },
  })
  expect(await readIdempotencyProblem(other)).toBeNull()
})

it('takes one way to choose the key', async () => {
  const { storage } = await setUp([{ status: 201 }])
  const send = createIdempotentFetch({ keyStorage: storage })
  await expect(send(server.url, { idempotencyKey: 'a', operation: 'b' })).rejects.toThrow('give one of them')
})

it('an answer that comes late leaves the key of the next operation of that name alone', async () => {
  const { load, kept, keys } = await setUp([
    { status: 503 },
    { status: 201 },
    'broken',
    { status: 201, headers: { 'idempotent-replayed': 'true' } },
  ])
  // Two clicks: the second one's answer was put off until after the first one's, and after the next operation has begun.
  const first = load()
  let goOn = () => {}
  const putOff = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const lateAnswer = load().payLate('topup', putOff)
  await expect.poll(() => keys().length).toBe(1)
  expect((await first.pay('topup')).status).toBe(201)
  await expect(first.pay('topup')).rejects.toThrow('no answer')
  const [mine] = kept.values()
  goOn()
  expect((await lateAnswer).headers.get('idempotent-replayed')).toBe('true')
  expect([...kept.values()]).toEqual([mine])
  await load().pay('topup')
  expect(new Set(keys()).size).toBe(2)
})

/** As browsers have it: one at a time for a name, whichever tab asks. */
function createLocks() {
  const last = new Map<string, Promise<unknown>>()
  return {
    request<T>(name: string, work: () => Promise<T>): Promise<T> {
      const turn = (last.get(name) ?? Promise.resolve()).then(work)
      last.set(
        name,
        turn.catch(() => undefined),
      )
      return turn
    },
  }
}

describe('tabs at once', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('have one key, where the platform has locks', async () => {
    vi.stubGlobal('navigator', { locks: createLocks() })
    const { load, keys, kept } = await setUp([{ status: 503 }], 'later')
    await Promise.all([load().pay(), load().pay(), load().pay('cart-8')])
    expect([keys().length, new Set(keys()).size, kept.size]).toEqual([3, 2, 2])
    await load().forget('cart-7')
    expect(kept.size).toBe(1)
  })
})
