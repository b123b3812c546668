import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '@/lib/core/clock'
import type { LockFilter } from '@/lib/core/lock-filter'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { countLocks, listLocks } from '@/lib/locks/list-locks'
import { saveSource } from '@/lib/sources/save'
import { acquire, CREDENTIALS_KEY, createFixture, type Fixture, killHolder, SETTINGS } from './locks-fixture'

let fixture: Fixture
beforeAll(async () => {
  fixture = await createFixture()
  for (let n = 0; n < 5; n++) await acquire(fixture, `live-${n}`)
  for (let n = 0; n < 4; n++) await killHolder(fixture, await acquire(fixture, `dead-${n}`))
  await checkLocks(fixture.system, undefined, SETTINGS)
})
afterAll(() => fixture.close())

async function keysOf(filter: LockFilter, limit: number): Promise<string[]> {
  const keys: string[] = []
  let cursor: string | undefined
  do {
    const page = await listLocks(fixture.console.db, filter, { limit, cursor }, systemClock.now())
    keys.push(...page.items.map(({ key }) => key))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return keys
}

test('pages lose and repeat none, though stamps differ by microseconds only', async () => {
  // As close as two acquires can be.
  await fixture.console.db.pool.query(`
    UPDATE lock l SET acquired_at = '2026-01-01T00:00:00Z'::timestamptz + r.n * interval '1 microsecond'
    FROM (SELECT id, row_number() OVER (ORDER BY key) AS n FROM lock) r WHERE r.id = l.id`)
  const all = await keysOf({}, 50)
  expect(all).toEqual([
    'dead-0',
    'dead-1',
    'dead-2',
    'dead-3',
    'live-0',
    'live-1',
    'live-2',
    'live-3',
    'live-4',
  ])
  for (const limit of [1, 2, 4]) expect(await keysOf({}, limit)).toEqual(all)
  await fixture.console.db.pool.query('DELETE FROM lock')
  await checkLocks(fixture.system, undefined, SETTINGS)
})

test('filters', async () => {
  expect(await keysOf({ stuckOnly: true }, 50)).toHaveLength(4)
  expect(await keysOf({ state: ['leased'] }, 50)).toHaveLength(5)
  expect(await keysOf({ verdict: ['release', 'complete'] }, 50)).toHaveLength(4)
  expect(await keysOf({ key: 'live-3' }, 50)).toEqual(['live-3'])
  expect(await keysOf({ source: 'src_none' }, 50)).toEqual([])
  expect(await countLocks(fixture.console.db, systemClock.now(), 60_000)).toMatchObject({
    stuck: 4,
    live: 9,
    investigate: 0,
    openOlderThan: 0,
  })
})

test('a lease that ended is gone from the list, and kept as history', async () => {
  await fixture.service.query(`DELETE FROM idem_lease WHERE key = idem_key_bytes('live-0')`)
  const [checked] = await checkLocks(fixture.system, fixture.sourceId, SETTINGS)
  expect(checked).toMatchObject({ kind: 'checked', leases: 8, stuck: 4, gone: 1, truncated: false })
  expect(await keysOf({}, 50)).not.toContain('live-0')
  expect(await keysOf({ goneToo: true }, 50)).toContain('live-0')
})

test('a store that is down hides no other, and its locks stay as they were last known', async () => {
  const secret = { url: 'postgres://nobody@127.0.0.1:9/none' }
  const down = await saveSource(
    fixture.system,
    { adapter: 'native', name: 'down', system: 'other', config: { statementTimeoutMs: 500 }, secret },
    { credentialsKey: CREDENTIALS_KEY, demo: true },
  )
  const checked = await checkLocks(fixture.system, undefined, SETTINGS)
  expect(checked.find(({ source }) => source === down)).toMatchObject({ kind: 'unreachable' })
  expect(checked.find(({ source }) => source === fixture.sourceId)).toMatchObject({
    kind: 'checked',
    leases: 8,
  })
  expect(await keysOf({}, 50)).toHaveLength(8)
})
