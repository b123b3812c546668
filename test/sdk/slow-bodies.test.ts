import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IdempotentOptions } from '@/sdk/idempotent'
import { toNodeHandler } from '@/sdk/node'
import {
  createGate,
  createManualClock,
  createSlowBody,
  createStoreFixture,
  expireLease,
  idempotentOn,
  leaseState,
  postJson,
  type StoreFixture,
} from './support'

let fixture: StoreFixture
let serial = 0
const newKey = () => `key-${++serial}`
const wrap = idempotentOn(() => fixture)
const ask = (key: string) => postJson({}, { 'idempotency-key': key })

beforeAll(async () => {
  fixture = await createStoreFixture()
  await fixture.query('CREATE TABLE booking (id text)')
})
afterAll(() => fixture.close())

const LEASE_MS = 9_000
const HEARTBEAT_MS = 3_000
const DEADLINE_MS = 30_000

/** A handler whose answer's body is slow, with timers that only the test moves. */
function setUp(key: string, over: Partial<IdempotentOptions<PoolClient>> = {}) {
  const time = createManualClock()
  const body = createSlowBody()
  const beats: (() => void)[] = []
  const executions: number[] = []
  const signals: AbortSignal[] = []
  const handle = wrap(
    (_request, context) => {
      executions.push(context.attempt)
      signals.push(context.signal)
      return new Response(executions.length === 1 ? body.stream : 'again')
    },
    {
      clock: time.clock,
      leaseMs: LEASE_MS,
      heartbeatMs: HEARTBEAT_MS,
      executionDeadlineMs: DEADLINE_MS,
      store: {
        ...fixture.store,
        async heartbeat(holder, leaseMs) {
          const held = await fixture.store.heartbeat(holder, leaseMs)
          beats.shift()?.()
          return held
        },
      },
      ...over,
    },
  )
  /** Lets the time to the next heartbeat pass, and waits until the store has heard it. */
  async function beat() {
    const heard = new Promise<void>((resolve) => beats.push(resolve))
    time.advance(HEARTBEAT_MS)
    await heard
  }
  return { ...time, body, beat, executions, signals, respond: handle, handle: () => handle(ask(key)) }
}

const aborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) resolve()
    else signal?.addEventListener('abort', () => resolve())
  })

describe('a body that takes longer than the lease', () => {
  it('keeps the lease: a duplicate waits, and the handler runs once', async () => {
    const key = newKey()
    const { handle, body, beat, executions } = setUp(key)
    const first = handle()
    await body.read
    await expireLease(fixture, key)
    await beat()
    expect((await handle()).status).toBe(409)
    body.end()
    expect(await (await first).text()).toBe('begun, ended')
    const replay = await handle()
    expect([replay.headers.get('idempotent-replayed'), await replay.text()]).toEqual(['true', 'begun, ended'])
    expect(executions).toEqual([1])
  })

  it('is not stored when the fence was lost meanwhile, and is not read for ever', async () => {
    const key = newKey()
    const { handle, body, beat, advance, executions, signals } = setUp(key)
    const first = handle()
    await body.read
    await expireLease(fixture, key)
    expect(await (await handle()).text()).toBe('again')
    await beat()
    await aborted(signals[0])
    advance(LEASE_MS)
    expect(await body.cancelled).toMatchObject({ name: 'StaleHolderError' })
    expect((await first).status).toBe(409)
    expect(executions).toEqual([1, 2])
  })

  it('counts as a throw when it breaks', async () => {
    const key = newKey()
    const { handle, body } = setUp(key)
    const first = handle()
    await body.read
    body.fail(new Error('the upstream went away'))
    await expect(first).rejects.toThrow('the upstream went away')
    expect(await leaseState(fixture, key)).toBe('R')
  })
})

describe('a body that stalls past the deadline', () => {
  it('is answered 503, and its key is never released: the lease runs out', async () => {
    const key = newKey()
    const { handle, body, advance, signals } = setUp(key)
    const first = handle()
    await body.read
    advance(DEADLINE_MS)
    const response = await first
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '9'])
    expect(signals[0]?.aborted).toBe(true)
    expect(await leaseState(fixture, key)).toBe('L')
    advance(LEASE_MS)
    expect(await body.cancelled).toMatchObject({ name: 'StaleHolderError' })
    expect(await leaseState(fixture, key)).toBe('L')
    await expireLease(fixture, key)
    expect(await (await handle()).text()).toBe('again')
  })

  it('is stored all the same when it comes while the lease lasts', async () => {
    const key = newKey()
    const written = createGate()
    const { handle, body, advance, executions } = setUp(key, {
      store: {
        ...fixture.store,
        async complete(holder, response) {
          const completed = await fixture.store.complete(holder, response)
          written.resolve()
          return completed
        },
      },
    })
    const first = handle()
    await body.read
    advance(DEADLINE_MS)
    expect((await first).status).toBe(503)
    body.end()
    await written.promise
    expect(await (await handle()).text()).toBe('begun, ended')
    expect(executions).toEqual([1])
  })

  it.each(['keyed', 'unkeyed'])('rolls its transaction back and frees the connection, %s', async (kind) => {
    const key = newKey()
    const time = createManualClock()
    const body = createSlowBody()
    const ended = createGate<unknown>()
    const handle = wrap(
      async (_request, context) => {
        const done = context.transaction(async (tx) => {
          await tx.query('INSERT INTO booking VALUES ($1)', [key])
          return new Response(body.stream)
        })
        done.catch(ended.resolve)
        return done
      },
      // No heartbeat comes between: each connection that is in use is the transaction's.
      {
        clock: time.clock,
        leaseMs: 4 * DEADLINE_MS,
        heartbeatMs: 2 * DEADLINE_MS,
        executionDeadlineMs: DEADLINE_MS,
        required: false,
      },
    )
    const first = handle(postJson({}, kind === 'keyed' ? { 'idempotency-key': key } : {}))
    first.catch(() => {})
    await body.read
    time.advance(DEADLINE_MS)
    expect(await ended.promise).toMatchObject({ name: 'StaleHolderError' })
    expect(await body.cancelled).toBeDefined()
    expect(await fixture.query('SELECT FROM booking WHERE id = $1', [key])).toEqual([])
    expect(fixture.pool.idleCount).toBe(fixture.pool.totalCount)
    if (kind === 'keyed') {
      expect((await first).status).toBe(503)
      expect(await leaseState(fixture, key)).toBe('L')
    } else await expect(first).rejects.toThrow('deadline')
  })

  it('does not matter after the transaction has completed the key: its answer is sent', async () => {
    const key = newKey()
    const time = createManualClock()
    const committed = createGate()
    const handle = wrap(
      async (_request, context) => {
        await context.transaction(async () => new Response('booked', { status: 201 }))
        committed.resolve()
        return new Promise<Response>(() => {})
      },
      { clock: time.clock, executionDeadlineMs: DEADLINE_MS },
    )
    const first = handle(ask(key))
    await committed.promise
    time.advance(DEADLINE_MS)
    expect([(await first).status, await (await handle(ask(key))).text()]).toEqual([201, 'booked'])
  })
})

describe('an end that comes late', () => {
  it.each([
    ['a lease after the deadline', DEADLINE_MS + 2 * LEASE_MS],
    ['an hour after it', 3_600_000],
  ])('is stored where nobody else has acted: %s', async (_, lateMs) => {
    const key = newKey()
    const time = createManualClock()
    const [begun, stop, written] = [createGate(), createGate(), createGate()]
    const handle = wrap(
      async () => {
        begun.resolve()
        await stop.promise
        return new Response('late')
      },
      {
        clock: time.clock,
        store: {
          ...fixture.store,
          complete: (holder, response) => fixture.store.complete(holder, response).finally(written.resolve),
        },
      },
    )
    const first = handle(ask(key))
    await begun.promise
    time.advance(lateMs)
    expect((await first).status).toBe(503)
    stop.resolve()
    await written.promise
    expect(await (await handle(ask(key))).text()).toBe('late')
  })

  it('is stored by a holder that an effect of unknown end was held against', async () => {
    const key = newKey()
    const time = createManualClock()
    const [begun, stop] = [createGate<AbortSignal>(), createGate()]
    const handle = wrap(
      async (_request, context) => {
        await context.effect('charge', { name: 'stripe.charge' }, async ({ signal }) => {
          begun.resolve(signal)
          await stop.promise
          return { reference: 'ch' }
        })
        return new Response('charged')
      },
      { clock: time.clock, leaseMs: LEASE_MS },
    )
    const first = handle(ask(key))
    const signal = await begun.promise
    await expireLease(fixture, key)
    expect((await handle(ask(key))).status).toBe(409)
    time.advance(HEARTBEAT_MS)
    await aborted(signal)
    stop.resolve()
    expect(await (await first).text()).toBe('charged')
    expect(await (await handle(ask(key))).text()).toBe('charged')
  })
})

describe('a client of node:http', () => {
  it('that goes away while the answer is read finds it on its next try', async () => {
    const key = newKey()
    const { respond, body, executions } = setUp(key)
    const ended = createGate()
    const listener = toNodeHandler((request) => respond(request).finally(ended.resolve))
    const server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const send = (signal: AbortSignal | null = null) =>
      fetch(url, { method: 'POST', headers: { 'idempotency-key': key }, signal })
    const abort = new AbortController()
    const first = send(abort.signal)
    await body.read
    abort.abort()
    await expect(first).rejects.toThrow('aborted')
    body.end()
    await ended.promise
    expect(await (await send()).text()).toBe('begun, ended')
    expect(executions).toEqual([1])
    server.closeAllConnections()
    server.close()
  })
})

describe('an upload', () => {
  const upload = (key: string, body: ReadableStream<Uint8Array>) => {
    const init = { method: 'POST', body, duplex: 'half', headers: { 'idempotency-key': key } }
    return new Request('http://service.test/v1/payments', init)
  }

  it('that is slow holds no lease before it is whole', async () => {
    const key = newKey()
    const body = createSlowBody()
    const first = wrap(async (request) => new Response(await request.text()))(upload(key, body.stream))
    await body.read
    expect(await leaseState(fixture, key)).toBeNull()
    body.end()
    expect(await (await first).text()).toBe('begun, ended')
  })

  it('that stalls is answered 408 at the deadline, and nothing was executed', async () => {
    const key = newKey()
    const time = createManualClock()
    const body = createSlowBody()
    const handle = wrap(() => new Response('executed'), { clock: time.clock })
    const first = handle(upload(key, body.stream))
    await body.read
    time.advance(DEADLINE_MS)
    expect((await first).status).toBe(408)
    expect(await body.cancelled).toBeDefined()
    expect(await leaseState(fixture, key)).toBeNull()
  })

  it('that breaks is thrown on, and nothing was executed', async () => {
    const key = newKey()
    const body = createSlowBody()
    const first = wrap(() => new Response('executed'))(upload(key, body.stream))
    await body.read
    body.fail(new Error('the client went away'))
    await expect(first).rejects.toThrow('the client went away')
    expect(await leaseState(fixture, key)).toBeNull()
  })
})
