import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { liftHold, placeHold } from '../holds-fixture'
import { createStoreFixture, leaseState, type StoreFixture } from '../support'
import { type Control, startControl } from './control'
import type { BodyKind, Harness, Mounting, Served } from './harness'
import { LARGE_TEXT } from './payments'
import { BODIES, type Sending, sendRaw, send as sendTo, stream } from './send'

// Of one connection or one exchange: they may differ from answer to answer.
const OF_ONE_EXCHANGE = [
  'connection',
  'content-length',
  'date',
  'idempotent-replayed',
  'keep-alive',
  'set-cookie',
  'transfer-encoding',
  'x-request-id',
]

const comparable = (headers: Headers) =>
  Object.fromEntries([...headers].filter(([name]) => !OF_ONE_EXCHANGE.includes(name)))

const entries = <K extends string, V>(object: Partial<Record<K, V>>) => Object.entries(object) as [K, V][]

export type World = { fixture: StoreFixture; control: Control }

type Serving = { url(): string; control(): Control; newKey(): string }

/** What every way to serve a handler of `idempotent` promises, over real HTTP; `more` is what only this one does. */
export function describeAdapter(
  name: string,
  harness: Harness,
  more: (serving: Serving) => void = () => {},
): void {
  let fixture: StoreFixture
  let control: Control
  let serial = 0
  const newKey = () => `key-${name}-${++serial}`.replaceAll(/[^\w-]/g, '-')

  beforeAll(async () => {
    fixture = await createStoreFixture()
    control = await startControl()
  })
  afterAll(async () => {
    await control?.close()
    await fixture?.close()
  })

  function serving(mounting: Mounting) {
    let served: Served
    beforeAll(async () => {
      served = await harness.start(mounting, { fixture, control })
    })
    afterAll(() => served?.close())
    return {
      url: () => served.url,
      send: (sending: Sending = {}) => sendTo(served.url, sending),
    }
  }

  describe.each(entries(harness.bodies))(`${name}: bodies, %s`, (mounting, fates) => {
    const { send } = serving(mounting)

    it.each(entries(BODIES))('%s', async (kind: BodyKind, { one, same, other }) => {
      const fate = fates[kind] ?? 'compared'
      const key = newKey()
      const first = await send({ key, ...one })
      if (fate === 'compared') {
        expect([first.status, first.replayed]).toEqual([201, false])
        expect(await send({ key, ...same })).toMatchObject({ text: first.text, replayed: true })
        const mismatch = await send({ key, ...other })
        expect([mismatch.status, mismatch.json()]).toEqual([
          422,
          expect.objectContaining({ type: 'urn:idemscope:problem:key-reused' }),
        ])
        expect(control.count('work', key)).toBe(1)
        return
      }
      // Nothing is executed, and nothing is compared as if it were empty.
      expect(control.count('work', key)).toBe(0)
      expect(first.status).toBeGreaterThanOrEqual(400)
      if (fate === 'refused') expect(first.text).toMatch(/mount the handler before/)
    })
  })

  describe(name, () => {
    const { send, url } = serving(harness.usual)
    const open: (() => void)[] = []
    const gate = (...what: Parameters<Control['gate']>) => {
      const made = control.gate(...what)
      open.push(made.open)
      return made
    }
    afterEach(() => {
      for (const letGo of open.splice(0)) letGo()
    })

    it('answers, and replays the same bytes and headers', async () => {
      const key = newKey()
      const [first, second] = [await send({ key }), await send({ key })]
      expect([first.status, first.replayed]).toEqual([201, false])
      expect(first.headers.getSetCookie()).toEqual(['seen=1; Path=/'])
      expect(first.json()).toMatchObject({ pathname: '/v1/payments', id: expect.stringContaining('ch_') })
      expect([second.status, second.text, second.replayed]).toEqual([201, first.text, true])
      expect(comparable(second.headers)).toEqual(comparable(first.headers))
      // Weak where a middleware has compressed it.
      expect(first.headers.get('etag')).toMatch(new RegExp(`^(W/)?"${first.json().id}"$`))
      // They belong to the first exchange only.
      expect([second.headers.getSetCookie(), second.headers.get('x-request-id')]).toEqual([[], null])
      expect(control.count('work', key)).toBe(1)
    })

    it('has headers that hooks of the framework add late, on both', async () => {
      const key = newKey()
      const late = [await send({ key }), await send({ key })].map(({ headers }) => headers.get('x-late'))
      expect(late).toEqual(harness.addsLate ? ['yes', 'yes'] : [null, null])
    })

    it('answers 409 with Retry-After while the first is under way', async () => {
      const key = newKey()
      const work = gate('work', key)
      const first = send({ key })
      await work.reached
      const second = await send({ key })
      expect([second.status, second.headers.get('retry-after')]).toEqual([409, '1'])
      expect(second.headers.get('content-type')).toContain('application/problem+json')
      work.open()
      expect((await first).status).toBe(201)
      expect(await send({ key })).toMatchObject({ replayed: true })
    })

    it('answers 400 without a key, with a bad one, and 401 as scope says', async () => {
      expect((await send()).json()).toMatchObject({ status: 400, title: 'Idempotency-Key is missing' })
      expect((await send({ key: '"open' })).json()).toMatchObject({ title: 'Idempotency-Key is malformed' })
      expect(await send({ key: newKey(), caller: 'nobody' })).toMatchObject({
        status: 401,
        text: 'who are you?',
      })
    })

    it('answers 503 while an operator holds the route, and executes again afterwards', async () => {
      const known = newKey()
      await send({ key: known })
      const { id } = await placeHold(fixture, 'route', { route: 'POST /v1/payments' })
      try {
        await expect.poll(async () => (await send({ key: newKey() })).status).toBe(503)
        const held = await send({ key: newKey() })
        expect(held.json()).toMatchObject({ type: 'urn:idemscope:problem:held' })
        expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(0)
        expect(await send({ key: known })).toMatchObject({ status: 201, replayed: true })
      } finally {
        await liftHold(fixture, id)
      }
      await expect.poll(async () => (await send({ key: newKey() })).status).toBe(201)
    })

    it('gives what the handler throws to the framework, and the key back', async () => {
      const key = newKey()
      const thrown = await send({ key, act: 'throw' })
      expect(thrown.status).toBeGreaterThanOrEqual(500)
      if (harness.errors === 'handler')
        expect(thrown.json()).toEqual({ error: 'Error', message: 'thrown before any effect' })
      expect(thrown.text).not.toContain('at ')
      expect(await send({ key })).toMatchObject({ status: 201, replayed: false })
      expect(control.count('work', key)).toBe(2)
    })

    it('keeps a key as unknown whose handler throws over an effect', async () => {
      const key = newKey()
      const charge = control.charges()
      expect((await send({ key, act: 'throw-after' })).status).toBeGreaterThanOrEqual(500)
      const retried = await send({ key, act: 'throw-after' })
      expect(retried.status).toBeGreaterThanOrEqual(409)
      expect(control.charges() - charge).toBe(1)
    })

    it('replays an answer that was thrown, and one without content', async () => {
      const [thrown, none] = [newKey(), newKey()]
      for (const replayed of [false, true]) {
        expect(await send({ key: thrown, act: 'throw-answer' })).toMatchObject({
          status: 402,
          text: '{"thrown":true}',
          replayed,
        })
        expect(await send({ key: none, act: 'no-content' })).toMatchObject({
          status: 204,
          text: '',
          replayed,
        })
      }
    })

    it('compresses first answers and replays alike', async () => {
      const key = newKey()
      const sending = { key, act: 'large', headers: { 'accept-encoding': 'gzip' } }
      const [first, second] = [await send(sending), await send(sending)]
      const coding = harness.compresses ? 'gzip' : null
      expect([first.headers.get('content-encoding'), second.headers.get('content-encoding')]).toEqual([
        coding,
        coding,
      ])
      expect([first.text, second.text, second.replayed]).toEqual([LARGE_TEXT, LARGE_TEXT, true])
      // One that accepts nothing gets it as it is.
      expect((await send({ ...sending, headers: { 'accept-encoding': 'identity' } })).text).toBe(LARGE_TEXT)
    })

    it('stores a streamed answer whole', async () => {
      const key = newKey()
      expect(await send({ key, act: 'stream' })).toMatchObject({ status: 200, text: 'begun, ended' })
      expect(await send({ key, act: 'stream' })).toMatchObject({ text: 'begun, ended', replayed: true })
    })

    it.runIf(harness.streams)('passes an unkeyed answer on as it comes', async () => {
      const held = gate('stream', '')
      const response = await stream(url(), {
        method: 'GET',
        act: 'stream',
        headers: { 'accept-encoding': 'identity' },
      })
      const reader = response.body?.getReader()
      const begun = await reader?.read()
      expect(Buffer.from(begun?.value ?? []).toString()).toBe('begun, ')
      held.open()
      const ended = await reader?.read()
      expect(Buffer.from(ended?.value ?? []).toString()).toBe('ended')
    })

    it('serves HEAD without a body, and OPTIONS', async () => {
      const head = await send({ method: 'HEAD' })
      expect([head.status, head.text]).toEqual([201, ''])
      expect(await send({ method: 'OPTIONS' })).toMatchObject({ status: 204 })
    })

    it('goes on when the client goes away, and replays to its retry', async () => {
      const key = newKey()
      const work = gate('work', key)
      const client = sendRaw(url(), key)
      await work.reached
      await client.break()
      work.open()
      await expect.poll(() => leaseState(fixture, key)).toBe(null)
      expect(await send({ key })).toMatchObject({ status: 201, replayed: true })
      expect(control.count('work', key)).toBe(1)
    })

    it('executes once although the connection broke in mid-upload', async () => {
      const key = newKey()
      const charges = control.charges()
      await sendRaw(url(), key, 4_000).break()
      expect(await send({ key })).toMatchObject({ status: 201, replayed: false })
      expect([control.count('work', key), control.charges() - charges]).toEqual([1, 1])
    })

    it('lets ten requests at once do the work once', async () => {
      const key = newKey()
      const charges = control.charges()
      const answers = await Promise.all(Array.from({ length: 10 }, () => send({ key })))
      for (const { status } of answers) expect([201, 409]).toContain(status)
      expect([control.count('work', key), control.charges() - charges]).toEqual([1, 1])
    })

    more({ url, control: () => control, newKey })
  })
}
