import { request as httpRequest } from 'node:http'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Receiver } from '@/jobs/receiver/server'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { bodyJson, clock, JSON_TYPE, openReceiver, send, spanJson } from './otlp'

let database: TestDatabase
let receiver: Receiver
let base: string
beforeAll(async () => {
  database = await createTestDatabase()
  await ensurePartitions(database.db, clock)
  const opened = await openReceiver(database.db)
  receiver = opened.receiver
  base = opened.url
})
afterAll(async () => {
  await receiver.close(500)
  await database.close()
})

describe('guards', () => {
  it('a token, when one is configured', async () => {
    const { receiver: guarded, url } = await openReceiver(database.db, {
      memoryBytesMax: 1024,
      token: 'a-token-of-sixteen',
    })
    const attempt = async (authorization?: string) => {
      const headers = { 'content-type': JSON_TYPE, ...(authorization === undefined ? {} : { authorization }) }
      return (await fetch(`${url}/v1/traces`, { method: 'POST', body: '{}', headers })).status
    }
    expect([
      await attempt(),
      await attempt('Bearer wrong'),
      await attempt('Bearer a-token-of-sixteen'),
    ]).toEqual([401, 401, 200])
    await guarded.close(200)
  })

  it('without a token only what comes straight from this machine, not through a proxy', async () => {
    for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
      const headers = { 'content-type': JSON_TYPE, [name]: '203.0.113.7' }
      const refused = await send(base, '{}', headers)
      expect([name, refused.status]).toEqual([name, 401])
      expect(refused.body.toString()).toContain('IDEMSCOPE_OTLP_TOKEN')
    }
    expect((await send(base, '{}', { 'content-type': JSON_TYPE })).status).toBe(200)
  })

  it('full: 503 with Retry-After, and room again afterwards', async () => {
    const { receiver: small, url } = await openReceiver(database.db, { memoryBytesMax: 10_000 })
    // A sender that holds most of the budget and does not go on.
    const slow = httpRequest(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE, 'content-length': 9_002 },
    })
    const answered = new Promise<number>((resolve) =>
      slow.on('response', (response) => resolve(response.statusCode ?? 0)),
    )
    slow.write(Buffer.alloc(9_000, 32))
    await expect.poll(() => small.stats().heldBytes).toBe(9_000)
    const refused = await send(url, Buffer.alloc(5_000, 32), { 'content-type': JSON_TYPE })
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1'])
    slow.end('{}')
    expect(await answered).toBe(200)
    await expect.poll(() => small.stats().heldBytes).toBe(0)
    await small.close(200)
  })

  it('the database is gone: 503, nothing acknowledged', async () => {
    const lost = await createTestDatabase()
    const { receiver: unlucky, url } = await openReceiver(lost.db, { memoryBytesMax: 10_000 })
    await lost.close()
    const refused = await send(url, JSON.stringify(bodyJson(spanJson())), { 'content-type': JSON_TYPE })
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1'])
    await unlucky.close(200)
  })

  it('tells the console, at most once a second', async () => {
    const listener = new pg.Client({ connectionString: database.url })
    await listener.connect()
    const told: string[] = []
    listener.on('notification', (message) => told.push(message.payload ?? ''))
    await listener.query('LISTEN idemscope')
    const startedAt = performance.now()
    for (let index = 0; index < 10; index++)
      await send(base, JSON.stringify(bodyJson(spanJson())), { 'content-type': JSON_TYPE })
    await expect.poll(() => told.length).toBeGreaterThan(0)
    expect(told.length).toBeLessThan(2 + (performance.now() - startedAt) / 1000)
    expect(told[0]).toBe('{"kind":"telemetry"}')
    await listener.end()
  })
})
