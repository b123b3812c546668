import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Console, createConsole, get, post, REASON, session } from '../../api/console-fixture'
import { type RedisServer, startRedis } from '../../support/redis-server'
import { setSettings } from '../../support/settings'

setSettings({ IDEMSCOPE_CREDENTIALS_KEY: 'a'.repeat(64), IDEMSCOPE_KEY_SECRET: 'k'.repeat(32) })

let console: Console
let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
  console = await createConsole({ IDEMSCOPE_CREDENTIALS_KEY: 'a'.repeat(64) })
  const value = { status: 'INPROGRESS', expiration: 1, in_progress_expiration: 1 }
  await redis.admin.set('pay#abc', JSON.stringify(value), 'EX', 3_600)
})
afterAll(async () => {
  await console.close()
  await redis.close()
})

test('found, previewed and connected through the API, with the rights that it needs; its secret stays inside', async () => {
  const admin = session(console.cookies.admin)
  const secret = { url: redis.url }
  const found = await post('sources/detect', { engine: 'redis', secret }, admin)
  expect(found.body.items).toMatchObject([{ adapter: 'redis', place: 'pay#{key}', rowsEstimate: 1 }])
  const [{ adapter, config }] = found.body.items

  const preview = await post('sources/preview', { adapter, config, secret }, admin)
  expect(preview).toMatchObject({ status: 200, body: { rows: [{ key: 'abc', state: 'leased' }] } })
  expect(preview.body.grants).toContain('ACL SETUSER idemscope_source reset on')

  const named = { name: 'pay redis', system: 'payments', reason: REASON }
  const saved = await post('sources', { adapter, config, secret, ...named }, admin)
  expect(saved.status).toBe(201)
  const listed = await get('sources', admin)
  expect(listed.body.items).toMatchObject([{ name: 'pay redis', adapter: 'redis', kind: 'intent' }])
  expect(JSON.stringify(listed.body)).not.toContain(redis.url)
})

test('what is wrong with an address is said to whoever typed it', async () => {
  const admin = session(console.cookies.admin)
  const detect = (engine: string, secret: object) => post('sources/detect', { engine, secret }, admin)
  expect(await detect('redis', { url: 'redis://127.0.0.1:1' })).toMatchObject({
    status: 422,
    body: { detail: expect.stringMatching(/cannot be reached/) },
  })
  const notUrl = await detect('redis', { url: 'nonsense' })
  expect(notUrl.status).toBe(400)
  expect(JSON.stringify(notUrl.body)).toMatch(/redis:\/\/ or rediss:\/\/ URL/)
  expect((await detect('redis', { url: redis.url, password: 'x' })).status).toBe(400)
  expect((await detect('oracle', { url: redis.url })).status).toBe(400)
})
