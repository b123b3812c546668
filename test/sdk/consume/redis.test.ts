import { afterAll, expect, test } from 'vitest'
import { consume } from '@/sdk/consume'
import { createRedisFixture, TTL_MS } from '../redis/fixture'
import { KEY_SECRET } from '../support'

const fixture = createRedisFixture()
afterAll(() => fixture.close())

test('on Redis a message is applied once, also by two consumers at once, and an unknown end is parked', async () => {
  const store = await fixture.store(await fixture.server())
  await store.registerTier('default', TTL_MS)
  let calls = 0
  const [one, other] = ['one', 'other'].map((owner) =>
    consume(
      { store, group: 'mail', topic: 'orders', keySecret: KEY_SECRET, owner },
      async ({ type }, ctx) => {
        await ctx.effect('send', { name: 'mail.send', providerKeyed: false }, async () => {
          calls += 1
          if (type === 'lost') throw new Error('timeout')
          return { reference: 'mail_1' }
        })
      },
    ),
  )
  if (one === undefined || other === undefined) throw new Error('no consumers')
  const message = { id: 'm1', type: 'order.paid', headers: {}, payload: Buffer.from('{}') }
  const both = await Promise.all([one.handle(message), other.handle(message)])
  expect(both).toContainEqual({ kind: 'done', replayed: false })
  expect(await other.handle(message)).toEqual({ kind: 'done', replayed: true })
  expect(calls).toBe(1)
  const lost = { ...message, id: 'm2', type: 'lost' }
  expect(await one.handle(lost)).toMatchObject({ kind: 'later', reason: 'failed' })
  expect(await other.handle(lost)).toEqual({ kind: 'parked', reason: 'unknown' })
  expect(calls).toBe(2)
})
