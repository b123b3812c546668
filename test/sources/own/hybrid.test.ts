import { afterAll, beforeAll, expect, test } from 'vitest'
import type { IntentSource } from '@/lib/sources/contracts'
import { cacheNameOf } from '@/sdk/stores/hybrid/record'
import { actorsOn, ownHybrid, SCOPE } from './own-stores'

/** The console acts on PostgreSQL, and the cache never answers otherwise afterwards. */

let own: Awaited<ReturnType<typeof ownHybrid>>
let source: IntentSource
let actors: ReturnType<typeof actorsOn>
beforeAll(async () => {
  own = await ownHybrid()
  source = own.open()
  actors = actorsOn(own, () => source)
})
afterAll(async () => {
  await source.close()
  await own.close()
})

const OPTIONS = { actionId: 'act_1', graceMs: 0 }
const response = { status: 201, headers: {}, body: '{"id":"ride_9"}' }
const VERBS = ['release', 'complete', 'fail'] as const
const nameOf = (key: string) => cacheNameOf('idem-cache:', { scope: SCOPE, key })

test('what the console completes is what PostgreSQL and the cache both replay', async () => {
  const { holder, lease } = await actors.dead('both')
  expect(await source.complete(lease.seen, { ...OPTIONS, response })).toMatchObject({ kind: 'done' })
  // Its holder comes back: stale, so nothing of it is cached.
  expect(await actors.comesBack(holder)).toEqual([])
  expect(await own.cache.exists(nameOf('both'))).toBe(0)
  const first = await own.store.acquire(actors.requestOf('both'))
  await expect.poll(() => own.cache.exists(nameOf('both'))).toBe(1)
  const second = await own.store.acquire(actors.requestOf('both'))
  for (const replay of [first, second])
    expect('body' in replay && Buffer.from(replay.body).toString()).toBe(response.body)
})

test('a released key is executed again, and only its new end is cached', async () => {
  const { lease } = await actors.dead('again')
  expect(await source.release(lease.seen, OPTIONS)).toMatchObject({ kind: 'done' })
  const next = await actors.hold('again')
  await actors.finish(next, '{"id":"second"}')
  await expect.poll(() => own.cache.exists(nameOf('again'))).toBe(1)
  const replay = await own.store.acquire(actors.requestOf('again'))
  expect('body' in replay && Buffer.from(replay.body).toString()).toBe('{"id":"second"}')
})

test('a record that PostgreSQL has lost and the cache still answers stops every verb', async () => {
  for (const verb of VERBS) {
    const key = `restored ${verb}`
    await actors.finish(await actors.hold(key))
    await expect.poll(() => own.cache.exists(nameOf(key))).toBe(1)
    const cached = await own.cache.getBuffer(nameOf(key))
    // As after a restore to a time at which it was in progress.
    await own.forget(key)
    await own.cache.del(nameOf(key))
    const { lease } = await actors.dead(key)
    await own.cache.set(nameOf(key), cached ?? '')
    const before = await own.raw(key)
    expect(await source[verb](lease.seen, { ...OPTIONS, response })).toMatchObject({
      kind: 'refused',
      reason: 'answered_by_cache',
      current: { version: lease.version },
    })
    expect(await own.raw(key)).toEqual(before)
    // What is not a record, the SDK does not answer with either.
    await own.cache.set(nameOf(key), 'something else')
    expect(await source[verb](lease.seen, { ...OPTIONS, response })).toMatchObject({ kind: 'done' })
  }
})

test('a cache that cannot be asked refuses the verb, certainly unapplied; reading goes on', async () => {
  const { lease } = await actors.dead('alone')
  const lost = own.open({}, { cacheUrl: 'redis://127.0.0.1:1' })
  await expect(lost.release(lease.seen, OPTIONS)).rejects.toMatchObject({
    name: 'SourceUnavailableError',
    refused: true,
    message: expect.stringMatching(/^The cache cannot be asked/),
  })
  expect((await lost.readKey(SCOPE, 'alone')).lease?.version).toBe(lease.version)
  await lost.close()
  expect(await source.release(lease.seen, OPTIONS)).toMatchObject({ kind: 'done' })
})
