import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { readConditions } from '@/lib/conditions/read-conditions'
import { readOutages } from '@/lib/conditions/read-outages'
import { type Evaluated, type Finding, writeConditions } from '@/lib/conditions/write-conditions'
import { inTransaction } from '@/lib/db'
import { LIVE_CHANNEL } from '@/lib/live-events'
import { createTestDatabase, type TestDatabase } from '../support/database'

let console: TestDatabase
beforeAll(async () => {
  console = await createTestDatabase()
})
afterAll(() => console.close())
beforeEach(async () => {
  await console.db.pool.query('TRUNCATE condition, alert_episode CASCADE')
})

const at = (time: string) => new Date(`2026-03-02T${time}Z`)
const write = (time: string, evaluated: Evaluated, findings: Finding[]) =>
  writeConditions(console.db.pool, at(time), evaluated, findings)
const flood = (system: string, source: string, wouldOpen = 3): Finding => ({
  kind: 'case_flood',
  subject: `${system}/orphan_effect/${source}`,
  detail: { system, wouldOpen },
})
const holding = async () => (await readConditions(console.db)).map(({ subject }) => subject).sort()
const FLOODS: Evaluated = { kinds: ['case_flood'], of: 'payments' }

test('what was evaluated of one system and not found is cleared; everything else stays', async () => {
  const skew: Finding = { kind: 'clock_skew', subject: 'src_1', detail: { system: 'payments' } }
  await write('02:00:00', { kinds: [] }, [
    flood('payments', 'a'),
    flood('payments', 'b'),
    flood('orders', 'a'),
    skew,
  ])
  expect(await write('02:01:00', FLOODS, [flood('payments', 'b')])).toEqual({
    firing: 1,
    raised: 0,
    cleared: 1,
  })
  expect(await holding()).toEqual(['orders/orphan_effect/a', 'payments/orphan_effect/b', 'src_1'])
  expect(await write('02:02:00', { kinds: ['clock_skew'], of: 'src_1' }, [])).toMatchObject({ cleared: 1 })
  expect(await holding()).toEqual(['orders/orphan_effect/a', 'payments/orphan_effect/b'])
})

test('an evaluation that was paused changes nothing, unless what was written last holds', async () => {
  await write('02:10:00', FLOODS, [flood('payments', 'a', 10)])
  await write('02:09:00', FLOODS, [flood('payments', 'a', 9), flood('payments', 'b')])
  await write('02:09:00', FLOODS, [])
  const wouldOpen = async () =>
    (await readConditions(console.db)).find(({ subject }) => subject.endsWith('/a'))?.detail.wouldOpen
  expect(await wouldOpen()).toBe(10)
  await write('02:09:00', { ...FLOODS, lastWriteHolds: true }, [flood('payments', 'a', 9)])
  expect(await wouldOpen()).toBe(9)
  await write('02:08:00', { ...FLOODS, lastWriteHolds: true }, [])
  expect(await holding()).toEqual([])
})

test('open pages are told when one is raised or cleared, once its transaction commits, and not that it goes on', async () => {
  const heard: (string | undefined)[] = []
  const listener = await console.db.pool.connect()
  listener.on('notification', ({ payload }) => heard.push(payload))
  await listener.query(`LISTEN ${LIVE_CHANNEL}`)
  const sync = () => listener.query('SELECT 1')
  const changed = JSON.stringify({ kind: 'conditions' })

  await inTransaction(console.db.pool, async (client) => {
    await writeConditions(client, at('02:00:00'), FLOODS, [flood('payments', 'a')])
    await sync()
    expect(heard).toEqual([])
  })
  await sync()
  expect(heard).toEqual([changed])
  await write('02:01:00', FLOODS, [flood('payments', 'a')])
  await sync()
  expect(heard).toEqual([changed])
  await write('02:02:00', FLOODS, [])
  await sync()
  expect(heard).toEqual([changed, changed])
  await listener.query('UNLISTEN *')
  listener.release(true)
})

test('an outage lasts from the last answer to the first one after; the next one takes its place', async () => {
  const down = (lastOkAt: string | null) => [
    { kind: 'stale_source' as const, subject: 'src_out', detail: { name: 'payments store', lastOkAt } },
  ]
  const own = async () => (await readOutages(console.db)).filter(({ source }) => source === 'src_out')
  const from = at('02:40:00').toISOString()
  await writeConditions(console.db.pool, at('02:41:00'), { kinds: ['stale_source'] }, down(from))
  expect(await own()).toEqual([{ source: 'src_out', from, to: null }])
  await writeConditions(console.db.pool, at('02:49:00'), { kinds: ['stale_source'] }, [])
  expect(await own()).toEqual([{ source: 'src_out', from, to: at('02:49:00').toISOString() }])
  await writeConditions(console.db.pool, at('05:00:00'), { kinds: ['stale_source'] }, down(null))
  expect(await own()).toEqual([{ source: 'src_out', from: at('05:00:00').toISOString(), to: null }])
})
