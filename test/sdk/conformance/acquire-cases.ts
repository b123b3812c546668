import { expect, it } from 'vitest'
import { okResponse } from '../support'
import { again, freshRequest, type Harness, hold, kindOf } from './harness'

const other = Buffer.alloc(16, 2)

export function acquireCases(harness: () => Harness): void {
  it('acquires a new key, and says what it is', async () => {
    const before = Date.now()
    const acquired = await harness().store.acquire(freshRequest({ owner: 'me', leaseMs: 10_000 }))
    expect(acquired).toMatchObject({ kind: 'acquired', attempt: 1, owner: 'me', fence: expect.any(BigInt) })
    if (acquired.kind !== 'acquired') return
    expect(acquired.leaseLeftMs).toBeGreaterThan(5_000)
    expect(acquired.leaseLeftMs).toBeLessThanOrEqual(10_000)
    expect(Math.abs(acquired.createdAt.getTime() - before)).toBeLessThan(60_000)
  })

  it('a key in flight is in progress, in another process too', async () => {
    const request = freshRequest()
    const holder = await hold(harness().store, request)
    const second = await harness().openStore()
    for (const store of [harness().store, second])
      expect(await store.acquire({ ...request, owner: 'another' })).toMatchObject({
        kind: 'in_progress',
        attempt: 1,
        fence: holder.fence,
        owner: request.owner,
      })
  })

  it('another request with a key in flight, retryable or done is a mismatch, and changes nothing', async () => {
    const { store } = harness()
    const request = freshRequest()
    const holder = await hold(store, request)
    const another = { ...request, fingerprint: other }
    expect(await store.acquire(another)).toEqual({ kind: 'mismatch', state: 'leased' })
    await store.checkpoint(holder, 'priced', null)
    await store.abandon(holder)
    expect(await store.acquire(another)).toEqual({ kind: 'mismatch', state: 'retryable' })
    const next = await hold(store, request)
    await store.complete(next, okResponse())
    expect(await store.acquire(another)).toEqual({ kind: 'mismatch', state: 'completed' })
    expect(await kindOf(store.acquire(request))).toBe('replay')
  })

  it('replays what was stored, with whose it was', async () => {
    const { store } = harness()
    const request = freshRequest({ traceId: '0123456789abcdef0123456789abcdef' })
    const holder = await hold(store, request)
    const headers: [string, string][] = [
      ['content-type', 'text/plain; charset=utf-8'],
      ['link', '</a>; rel="next", </ü>'],
      ['x-empty', ''],
    ]
    const body = new TextEncoder().encode('grüße')
    const completed = await store.complete(holder, { status: 202, headers, body })
    if (completed === 'stale') throw new Error('stale')
    expect(completed.expiresAt.getTime() - completed.createdAt.getTime()).toBeGreaterThanOrEqual(3_590_000)
    const replay = await store.acquire({ ...request, owner: 'retry', traceId: null })
    expect(replay).toMatchObject({
      kind: 'replay',
      state: 'completed',
      status: 202,
      headers,
      attempt: 1,
      fence: holder.fence,
      traceId: request.traceId,
      ...completed,
    })
    expect(replay.kind === 'replay' && Buffer.from(replay.body).equals(body)).toBe(true)
  })

  it('an error is as final as a success', async () => {
    const { store } = harness()
    const holder = await hold(store)
    await store.complete(holder, { ...okResponse(), status: 502 })
    expect(await store.acquire(again(holder))).toMatchObject({
      kind: 'replay',
      state: 'failed_final',
      status: 502,
      traceId: null,
    })
  })

  it('after its time to live a key begins a new life, with a higher fence', async () => {
    const { store, expireRecord } = harness()
    const holder = await hold(store)
    expect(await expireRecord(holder)).toBe(false)
    await store.complete(holder, okResponse())
    expect(await expireRecord(holder)).toBe(true)
    const next = await store.acquire(again(holder))
    expect(next).toMatchObject({ kind: 'acquired', attempt: 1 })
    expect(next.kind === 'acquired' && next.fence > holder.fence).toBe(true)
    expect(await store.complete(holder, okResponse())).toBe('stale')
  })

  it('keys that look alike are different ones', async () => {
    const { store } = harness()
    const { key } = freshRequest()
    const uuid = '0b0c9a3e-6c5e-4b7e-9d0a-1f2e3d4c5b6a'
    const targets = [
      ...[key, `${key} `, `${key}:1`, `1:${key}`, key.toUpperCase(), `{${key}}`, `${key}*`].map((text) => ({
        scope: 'web/POST /v1/payments',
        key: text,
      })),
      ...[uuid, uuid.toUpperCase(), uuid.replaceAll('-', ''), 'exactly 16 bytes'].map((text) => ({
        scope: `${key}/POST /v1/payments`,
        key: text,
      })),
      { scope: `a/POST /${key}`, key: 'b:c' },
      { scope: `a/POST /${key}:b`, key: 'c' },
      { scope: `a/POST /${key}`, key: 'ключ-€-🔑' },
      { scope: `a/POST /${key}`, key: 'k'.repeat(255) },
    ]
    for (const target of targets) {
      const request = freshRequest(target)
      expect(await kindOf(store.acquire(request)), JSON.stringify(target)).toBe('acquired')
    }
    for (const target of targets)
      expect(await kindOf(store.acquire(freshRequest(target)))).toBe('in_progress')
  })

  it('an old tier’s record is still found after the route has changed its tier', async () => {
    const { store } = harness()
    const holder = await hold(store)
    await store.complete(holder, okResponse())
    expect(await store.acquire({ ...again(holder), tier: 'brief' })).toMatchObject({
      kind: 'replay',
      status: 201,
    })
  })

  it('a record lives as long as the tier says that its holder acquired it in', async () => {
    const { store } = harness()
    const completed = await store.complete(await hold(store, freshRequest({ tier: 'brief' })), okResponse())
    if (completed === 'stale') throw new Error('stale')
    const livesMs = completed.expiresAt.getTime() - completed.createdAt.getTime()
    expect(livesMs).toBeGreaterThanOrEqual(59_000)
    expect(livesMs).toBeLessThan(120_000)
  })

  it('a tier that nobody registered is an error that says what to do', async () => {
    await expect(harness().store.acquire(freshRequest({ tier: 'nobodys' }))).rejects.toThrow(
      /tier nobodys is not registered: call registerTier/,
    )
  })
}
