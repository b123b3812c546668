import { afterAll, beforeAll, expect, test } from 'vitest'
import { inTransaction } from '@/lib/db'
import { parseKeyId } from '@/lib/keys/key-id'
import { listKeys } from '@/lib/keys/list-keys'
import { applyObjects, lockMirror } from '@/lib/mirror/apply'
import { leaseObject, recordObject } from '@/lib/mirror/object'
import { openIntentSource } from '@/lib/sources/registry'
import { acquire, createFixture, type Fixture, killHolder, SCOPE } from '../locks/locks-fixture'

let fixture: Fixture
beforeAll(async () => {
  fixture = await createFixture()
})
afterAll(() => fixture.close())

async function stage(): Promise<void> {
  const { source, system } = await openIntentSource(fixture.system, fixture.sourceId)
  const { now, leases } = await source.readLeases({ limit: 100 })
  const { items } = await source.readRecords(null, 100)
  const objects = [
    ...leases.map((lease) => leaseObject(lease, now, 's'.repeat(40))),
    ...items.map((record) => recordObject(record, 's'.repeat(40))),
  ]
  await inTransaction(fixture.console.db.pool, async (client) => {
    await lockMirror(client, system)
    await applyObjects(client, { id: fixture.sourceId, system }, new Date(), objects)
  })
}

test('keys as they were staged: states derived from time, filters, pages', async () => {
  for (let n = 0; n < 5; n++) {
    const holder = await acquire(fixture, `done-${n}`)
    await fixture.store.complete(holder, {
      status: 201,
      headers: [],
      body: Buffer.from(JSON.stringify({ reference: `order-${n}` })),
    })
  }
  await acquire(fixture, 'live')
  await killHolder(fixture, await acquire(fixture, 'dead'))
  await stage()

  const all: Awaited<ReturnType<typeof listKeys>>['items'] = []
  let cursor: string | undefined
  do {
    const page = await listKeys(fixture.system, {}, { limit: 3, cursor })
    all.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  expect(all).toHaveLength(7)
  expect(new Set(all.map(({ id }) => id)).size).toBe(7)
  const [first] = all
  expect(parseKeyId(first?.id ?? '')).toEqual({ sourceId: fixture.sourceId, scope: SCOPE, key: first?.key })

  const only = async (filter: Parameters<typeof listKeys>[1]) =>
    (await listKeys(fixture.system, filter, { limit: 50 })).items.map(({ key }) => key)
  expect(await only({ state: 'lease_expired' })).toEqual(['dead'])
  expect(await only({ state: 'leased' })).toEqual(['live'])
  expect(await only({ state: 'completed' })).toHaveLength(5)
  expect(await only({ key: 'done-3' })).toEqual(['done-3'])
  expect(await only({ reference: 'order-2' })).toEqual(['done-2'])
  expect(await only({ scope: 'nobody/GET /' })).toEqual([])
  expect(all.find(({ key }) => key === 'done-1')).toMatchObject({
    state: 'completed',
    attempts: 1,
    status: 201,
    reference: 'order-1',
  })
})
