import { afterAll, beforeAll, expect, test } from 'vitest'
import { inTransaction } from '@/lib/db'
import { parseKeyId } from '@/lib/keys/key-id'
import { listKeys } from '@/lib/keys/list-keys'
import { applyObjects, lockMirror } from '@/lib/mirror/apply'
import { leaseObject, recordObject } from '@/lib/mirror/object'
import { openIntentSource } from '@/lib/sources/registry'
import { acquire, createStand, killHolder, SCOPE, type Stand } from '../locks/locks-fixture'

let stand: Stand
beforeAll(async () => {
  stand = await createStand()
})
afterAll(() => stand.close())

async function stage(): Promise<void> {
  const { source, system } = await openIntentSource(stand.system, stand.sourceId)
  const { now, leases } = await source.readLeases({ limit: 100 })
  const { items } = await source.readRecords(null, 100)
  const objects = [
    ...leases.map((lease) => leaseObject(lease, now, 's'.repeat(40))),
    ...items.map((record) => recordObject(record, 's'.repeat(40))),
  ]
  await inTransaction(stand.console.db.pool, async (client) => {
    await lockMirror(client, system)
    await applyObjects(client, { id: stand.sourceId, system }, new Date(), objects)
  })
}

test('keys as they were staged: states derived from time, filters, pages', async () => {
  for (let n = 0; n < 5; n++) {
    const holder = await acquire(stand, `done-${n}`)
    await stand.store.complete(holder, {
      status: 201,
      headers: [],
      body: Buffer.from(JSON.stringify({ reference: `order-${n}` })),
    })
  }
  await acquire(stand, 'live')
  await killHolder(stand, await acquire(stand, 'dead'))
  await stage()

  const all: Awaited<ReturnType<typeof listKeys>>['items'] = []
  let cursor: string | undefined
  do {
    const page = await listKeys(stand.system, {}, { limit: 3, cursor })
    all.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  expect(all).toHaveLength(7)
  expect(new Set(all.map(({ id }) => id)).size).toBe(7)
  const [first] = all
  expect(parseKeyId(first?.id ?? '')).toEqual({ sourceId: stand.sourceId, scope: SCOPE, key: first?.key })

  const only = async (filter: Parameters<typeof listKeys>[1]) =>
    (await listKeys(stand.system, filter, { limit: 50 })).items.map(({ key }) => key)
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
