import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StoreUnavailableError } from '@/sdk/errors'
import { createDynamoStore } from '@/sdk/stores/dynamodb'
import { acquireRequest, holderOf, okResponse } from '../support'
import type { Line } from './emulator'
import { createDynamoFixture, type DynamoFixture } from './fixture'

let fixture: DynamoFixture
let line: Line
let serial = 0
const newRequest = () => acquireRequest(`key-${++serial}`)
beforeAll(async () => {
  fixture = await createDynamoFixture()
  line = await fixture.emulator.openLine()
})
afterAll(() => fixture.close())

/** As little patience as a client can have, and as much: neither is the store's. */
const CLIENTS = {
  'that never repeats': { maxAttempts: 1 },
  'that repeats for ever': { maxAttempts: 1_000, retryMode: 'standard' },
} as const

describe.each(Object.entries(CLIENTS))('a client %s', (_, config) => {
  it.each(['throttle', 'fail'] as const)('is told to %s once: the store goes on', async (fault) => {
    const store = fixture.openStore({ client: line.newClient(config) })
    const request = newRequest()
    line.breakNext(fault, ({ operation }) => operation === 'UpdateItem')
    const holder = holderOf(request, await store.acquire(request))
    line.breakNext(fault, ({ operation }) => operation === 'UpdateItem')
    expect(await store.complete(holder, okResponse())).not.toBe('stale')
  })

  it.each(['throttle', 'fail', 'hang'] as const)(
    'whose every request meets a %s: the store is unavailable within its own time',
    async (fault) => {
      const store = fixture.openStore({ client: line.newClient(config), operationTimeoutMs: 700 })
      await store.acquire(newRequest())
      const mend = line.breakAll(fault)
      const startedMs = performance.now()
      await expect(store.acquire(newRequest())).rejects.toThrow(StoreUnavailableError)
      expect(performance.now() - startedMs).toBeLessThan(20_000)
      mend()
      expect((await store.acquire(newRequest())).kind).toBe('acquired')
    },
  )
})

it('a server that is not there is unavailable at once', async () => {
  const gone = await fixture.emulator.openLine()
  const store = fixture.openStore({ client: gone.newClient({ maxAttempts: 1 }), operationTimeoutMs: 60_000 })
  await store.acquire(newRequest())
  await gone.close()
  await expect(store.acquire(newRequest())).rejects.toThrow(StoreUnavailableError)
})

it('what will never work is no unavailable store: a route that fails open must not run on it', async () => {
  const client = line.newClient()
  const nowhere = createDynamoStore({ client, tableName: 'no-such-table' })
  const refused = await nowhere.acquire(newRequest()).catch((error: unknown) => error)
  expect(refused).not.toBeInstanceOf(StoreUnavailableError)
  expect(String(refused)).toContain('no table no-such-table: call createTable')
  const store = fixture.openStore({ client })
  await store.acquire(newRequest())
  const denied = {
    status: 400,
    body: { __type: 'com.amazon.coral.service#AccessDeniedException', message: 'no right' },
  }
  line.breakNext(denied, ({ operation }) => operation === 'UpdateItem')
  const thrown = await store.acquire(newRequest()).catch((error: unknown) => error)
  expect(thrown).not.toBeInstanceOf(StoreUnavailableError)
  expect(String(thrown)).toContain('AccessDenied')
})

it('holds stay in force while they cannot be read', async () => {
  const errors: unknown[] = []
  const store = fixture.openStore({
    client: line.newClient(),
    onHoldError: (error) => errors.push(error),
    operationTimeoutMs: 500,
  })
  await store.acquire(newRequest())
  await fixture.store.placeHold({ kind: 'store', reason: 'Customers are charged twice', by: 'test' })
  await expect
    .poll(async () => {
      await store.holds?.refresh()
      return store.holds?.findExecutionHold('web/POST /v1/payments', 'k') ?? null
    })
    .not.toBeNull()
  const mend = line.breakAll('fail')
  await expect.poll(() => errors.length).toBeGreaterThan(0)
  expect(store.holds?.findExecutionHold('web/POST /v1/payments', 'k')).not.toBeNull()
  mend()
})
