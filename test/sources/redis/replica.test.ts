import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { IntentSource } from '@/lib/sources/contracts'
import { readAllLeases } from '@/lib/sources/read-all-leases'
import { type RedisServer, startRedis } from '../../support/redis-server'
import { OPTIONS, openStore } from './fixture'

let primary: RedisServer
let replica: RedisServer
let source: IntentSource
beforeAll(async () => {
  primary = await startRedis()
  replica = await startRedis(['--replicaof', '127.0.0.1', String(primary.port)])
  await untilLinked()
  source = openStore(primary.url, { library: 'powertools', pattern: 'pay#{key}' }, replica.url)
})
afterAll(async () => {
  await source.close()
  await replica.close()
  await primary.close()
})
afterEach(() => primary.admin.flushall())

async function untilLinked(): Promise<void> {
  while (!/master_link_status:up/.test(await replica.admin.info('replication')));
}

const hold = (key: string) =>
  primary.admin.set(
    `pay#${key}`,
    JSON.stringify({ status: 'INPROGRESS', expiration: 1, in_progress_expiration: 1 }),
    'EX',
    3_600,
  )
const calls = async (server: RedisServer, command: string): Promise<number> =>
  Number(
    new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await server.admin.info('commandstats'))?.[1] ?? 0,
  )
const whole = async () => {
  const reading = await readAllLeases(source, 10)
  return reading.truncated ? null : reading.leases
}

test('walks and follows on the replica, acts on the primary', async () => {
  await hold('a')
  await expect.poll(whole).toMatchObject([{ key: 'a', expired: true }])
  await hold('b')
  await expect.poll(whole).toMatchObject([{ key: 'a' }, { key: 'b' }])
  expect(await calls(primary, 'scan')).toBe(0)
  expect(await calls(replica, 'scan')).toBeGreaterThan(0)
  const [lease] = (await whole()) ?? []
  if (lease === undefined) throw new Error('no lease')
  expect(await source.release(lease.seen, OPTIONS)).toMatchObject({ kind: 'done' })
  // Read again where it was done, whatever the replica shows.
  expect(await source.readKey(lease.scope, lease.key)).toMatchObject({ lease: null, record: null })
})

test('a replica that is behind, or cut off, proves nothing absent, and says so', async () => {
  await hold('a')
  await expect.poll(whole).toMatchObject([{ key: 'a' }])
  await replica.admin.call('REPLICAOF', '127.0.0.1', '1')
  await primary.admin.del('pay#a')
  const reading = await source.readLeases({ limit: 10 })
  expect(reading).toMatchObject({ truncated: true, wholeUntil: null })
  expect(reading.unread).toMatch(/replica/)
  expect((await source.readRecords(null, 10)).unread).toMatch(/replica/)
  await replica.admin.call('REPLICAOF', '127.0.0.1', String(primary.port))
  await expect.poll(whole).toEqual([])
})

test('a replica in the place of the primary reads, and refuses what changes', async () => {
  await hold('c')
  const wrong = openStore(replica.url, { library: 'powertools', pattern: 'pay#{key}' })
  await expect.poll(async () => (await wrong.readLeases({ limit: 10 })).leases.length).toBe(1)
  const [lease] = (await wrong.readLeases({ limit: 10 })).leases
  if (lease === undefined) throw new Error('no lease')
  await expect(wrong.release(lease.seen, OPTIONS)).rejects.toMatchObject({
    fault: 'read_only',
    refused: true,
  })
  await wrong.close()
})
