import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FingerprintVersion, fingerprintRequest } from '@/sdk/fingerprint/fingerprint'
import { createPostgresStore } from '@/sdk/stores/postgres'
import {
  createGate,
  createStoreFixture,
  idempotentOn,
  openPool,
  postJson,
  type StoreFixture,
} from '../support'

// Processes of two releases beside each other: each with a store of its own, on one database.
let fixture: StoreFixture
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())

function start(fingerprintVersion: FingerprintVersion) {
  const pool = openPool(fixture.url, 4)
  const store = createPostgresStore({ pool })
  const state = { executed: 0, gate: Promise.resolve(), reached: createGate() }
  const serve = wrap(
    async () => {
      state.executed += 1
      state.reached.resolve()
      await state.gate
      return Response.json({ by: fingerprintVersion }, { status: 201 })
    },
    { store, fingerprintVersion },
  )
  return {
    state,
    send: async (key: string, body: unknown) => {
      const response = await serve(postJson(body, { 'idempotency-key': key }))
      const answer = await response.json()
      return [response.status, answer.by ?? answer.type.replace('urn:idemscope:problem:', '')]
    },
    async stop() {
      store.close()
      await pool.end()
    },
  }
}

test.each<[FingerprintVersion, FingerprintVersion]>([
  [1, 2],
  [2, 1],
])('what a process wrote in version %i, one that writes %i answers', async (first, second) => {
  const [one, other] = [start(first), start(second)]
  const key = `written-in-${first}`
  expect(await one.send(key, { a: 1, b: 2 })).toEqual([201, first])
  expect(await other.send(key, { b: 2, a: 1 })).toEqual([201, first])
  expect(await one.send(key, { a: 1, b: 2 })).toEqual([201, first])
  // Another request stays another request, whoever looks.
  for (const { send } of [one, other]) expect(await send(key, { a: 2 })).toEqual([422, 'key-reused'])
  expect([one.state.executed, other.state.executed]).toEqual([1, 0])
  await Promise.all([one.stop(), other.stop()])
})

test.each<[FingerprintVersion, FingerprintVersion]>([
  [1, 2],
  [2, 1],
])('while a process of version %i works, one of version %i says so', async (first, second) => {
  const [one, other] = [start(first), start(second)]
  const gate = createGate()
  one.state.gate = gate.promise
  const key = `under-way-in-${first}`
  const working = one.send(key, {})
  await one.state.reached.promise
  expect(await other.send(key, {})).toEqual([409, 'outstanding'])
  expect(await other.send(key, { another: true })).toEqual([422, 'key-reused'])
  gate.resolve()
  expect(await working).toEqual([201, first])
  expect(await other.send(key, {})).toEqual([201, first])
  await Promise.all([one.stop(), other.stop()])
})

test('many at once on both execute each key once', async () => {
  const processes = [start(1), start(2)]
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => processes[at % 2]?.send(`race-${round}`, { round })),
    )
    for (const answer of answers) expect([201, 409]).toContain(answer?.[0])
  }
  expect(processes.reduce((sum, { state }) => sum + state.executed, 0)).toBe(10)
  await Promise.all(processes.map(({ stop }) => stop()))
})

test('a record holds the version that it was written in, from 2 on; version 1 stays what it was', () => {
  const request = postJson({ a: 1 })
  const body = new TextEncoder().encode('{"a":1}')
  const [one, two] = [fingerprintRequest(request, body, 1), fingerprintRequest(request, body, 2)]
  expect([one.byteLength, two.byteLength, two[0]]).toEqual([16, 16, 2])
  expect(Buffer.from(one).toString('hex')).toBe('06de3e211fef12b9b8ad95ee70a30ff7')
})
