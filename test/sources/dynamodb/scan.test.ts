import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAllLeases } from '@/lib/sources/read-all-leases'
import { allRecords, createTime, type DynamoInput, type Item, startTables, type Tables } from './fixture'

/** Reading a table of another library whole: no faster than its owner allows, and never more sure than it is. */

let tables: Tables
beforeAll(async () => {
  tables = await startTables()
})
afterAll(() => tables.close())

const HOUR_MS = 3_600_000
const seconds = (offset = 0) => String(Math.floor(Date.now() / 1_000) + offset)

const item = (n: number, status: string, over: Item = {}): Item => ({
  id: { S: `pay#${String(n).padStart(6, '0')}` },
  status: { S: status },
  expiration: { N: seconds(HOUR_MS / 1_000) },
  in_progress_expiration: { N: `${seconds(-300)}000` },
  ...over,
})

async function fill(table: string, items: readonly Item[]) {
  for (let first = 0; first < items.length; first += 25) {
    const batch = items.slice(first, first + 25).map((Item) => ({ PutRequest: { Item } }))
    await tables.client.send(new BatchWriteItemCommand({ RequestItems: { [table]: batch } }))
  }
}

function configOf(table: string, scan: NonNullable<DynamoInput['scan']> = {}): DynamoInput {
  return { table, endpoint: 'POST /payments', layout: { library: 'powertools-typescript' }, scan }
}

async function filled(table: string, items: readonly Item[], scan?: NonNullable<DynamoInput['scan']>) {
  await tables.create(table, 'id')
  await fill(table, items)
  const time = createTime()
  const source = tables.open(configOf(table, scan), { clock: time.clock, waiting: time.waiting })
  return { time, source }
}

test('10,000 items: each once, by the budget, with the live ones among them', async () => {
  const data = { data: { M: { id: { S: 'ch_1' }, note: { S: 'x'.repeat(400) } } } }
  const all = Array.from({ length: 10_000 }, (_, n) =>
    item(n, n % 1_000 === 0 ? 'INPROGRESS' : 'COMPLETED', n % 1_000 === 0 ? {} : data),
  )
  const { time, source } = await filled('big', all, { unitsPerSecond: 50 })
  const beganMs = time.clock.now().getTime()
  const { items, last } = await allRecords(source, null, 2_000)
  expect(new Set(items.map(({ key }) => key)).size).toBe(9_990)
  expect(items).toHaveLength(9_990)
  expect(last?.unread).toBeUndefined()
  const tookMs = time.clock.now().getTime() - beganMs
  const reading = source.capabilities.reading ?? ''
  const units = Number(/by the last walk (\d+)/.exec(reading)?.[1])
  // About 600 B an item, at 8 KB a unit: all but the last pages are paid for by waiting.
  expect(units).toBeGreaterThan(500)
  expect(reading).toContain('and 600 for its live keys')
  expect(tookMs).toBeGreaterThan((units / 50 - 6) * 1_000)
  expect(tookMs).toBeLessThan((units / 50 + 6) * 1_000)
  // No wait is for more than what the pages of one round cost.
  expect(Math.max(...time.waits)).toBeLessThan(6_000)
  const scans = tables.calls('Scan')
  const live = await readAllLeases(source, 100)
  expect(live.leases.map(({ key }) => key).sort()).toEqual(Array.from({ length: 10 }, (_, n) => `00${n}000`))
  expect(live).toMatchObject({ truncated: false })
  // The walk of the records has found them: nothing is walked twice.
  expect(tables.calls('Scan')).toBe(scans)
  await source.close()
})

describe('between two walks', () => {
  test('nothing is read before the hour is over, and how old it is is said', async () => {
    const { time, source } = await filled('hourly', [item(1, 'COMPLETED')])
    const first = await allRecords(source)
    expect(first.last?.asOf?.getTime()).toBeGreaterThan(Date.now() - 60_000)
    await fill('hourly', [item(2, 'COMPLETED')])
    const scans = tables.calls('Scan')
    time.clock.advance(HOUR_MS - 60_000)
    const second = await allRecords(source, first.cursor)
    expect(second).toMatchObject({ items: [], last: { asOf: first.last?.asOf, more: false } })
    expect(tables.calls('Scan')).toBe(scans)
    time.clock.advance(60_000)
    const third = await allRecords(source, second.cursor)
    expect(third.items.map(({ key }) => key).sort()).toEqual(['000001', '000002'])
    await source.close()
  })

  test('live keys are read again one by one: one that ended is gone, one that was released is free', async () => {
    const { time, source } = await filled(
      'again',
      [1, 2, 3].map((n) => item(n, 'INPROGRESS')),
    )
    expect((await source.readLeases({ limit: 10 })).leases).toHaveLength(3)
    await tables.set('again', { id: { S: 'pay#000001' } }, 'status', { S: 'COMPLETED' })
    await tables.set('again', { id: { S: 'pay#000002' } }, 'in_progress_expiration', { N: '0' })
    const scans = tables.calls('Scan')
    time.clock.advance(61_000)
    const { leases, wholeUntil } = await source.readLeases({ limit: 10 })
    expect(leases.map(({ key, state }) => [key, state])).toEqual([
      ['000002', 'retryable'],
      ['000003', 'leased'],
    ])
    expect(tables.calls('Scan')).toBe(scans)
    // A key that was taken since is missing, and that is said.
    expect(wholeUntil?.getTime()).toBeLessThan(Date.now())
    await source.close()
  })
})

describe('a walk that does not end', () => {
  const many = Array.from({ length: 400 }, (_, n) => item(n, n === 7 ? 'INPROGRESS' : 'COMPLETED'))

  test.each(['throttle', 'fail'] as const)(
    '%s: it says so, goes on where it was, and nothing is absent',
    async (fault) => {
      const { source } = await filled(`broken-${fault}`, many)
      const first = await source.readRecords(null, 100)
      expect(first.more).toBe(true)
      tables.breakNext('Scan', fault, 40)
      await expect(source.readRecords(first.cursor, 100)).rejects.toMatchObject({
        fault: fault === 'throttle' ? 'overloaded' : 'down',
        message: expect.stringMatching(fault === 'throttle' ? /throttles/ : /cannot be reached/),
      })
      await expect(source.readLeases({ limit: 10 })).resolves.toMatchObject({
        truncated: true,
        wholeUntil: null,
      })
      tables.mend()
      const rest = await allRecords(source, first.cursor)
      expect(first.items.length + rest.items.length).toBe(399)
      expect(rest.last?.unread).toBeUndefined()
      await source.close()
    },
  )

  test('a look at live keys that fails is an error, not an empty list', async () => {
    const { source } = await filled('no-look', many)
    tables.breakNext('Scan', 'throttle', 40)
    await expect(source.readLeases({ limit: 10 })).rejects.toMatchObject({ fault: 'overloaded' })
    tables.mend()
    const read = await readAllLeases(source, 10)
    expect(read).toMatchObject({ truncated: false, wholeUntil: expect.any(String) })
    expect(read.leases).toHaveLength(1)
    await source.close()
  })

  test('a source that is pointed at another table begins anew', async () => {
    const { source, time } = await filled('before-it-moved', many)
    const { cursor } = await source.readRecords(null, 100)
    await tables.create('moved', 'PK')
    await tables.put('moved', { ...item(1, 'COMPLETED'), PK: { S: 'pay#000001' } })
    const config = configOf('moved')
    const layout = { library: 'powertools-typescript' as const, keyAttr: 'PK' }
    const moved = tables.open({ ...config, layout }, { clock: time.clock, waiting: time.waiting })
    expect((await allRecords(moved, cursor)).items.map(({ key }) => key)).toEqual(['000001'])
    await moved.close()
    await source.close()
  })

  test('a large table is left to the next turn after a minute, and says how far it is', async () => {
    const note = { note: { S: 'x'.repeat(2_000) } }
    const large = many.map((each) => ({ ...each, data: { M: note } }))
    const scan = { unitsPerSecond: 1, segments: 1 }
    const { time, source } = await filled('slow', large, scan)
    const slow = tables.open(configOf('slow', scan), { clock: time.clock, waiting: time.waiting })
    const first = await allRecords(slow)
    expect(first.last).toMatchObject({
      more: false,
      unread: expect.stringContaining('not been read whole yet'),
    })
    expect(first.last?.unread).toMatch(/\d+ of about \d+ items at 1 capacity units a second/)
    expect(first.last?.asOf).toBeUndefined()
    // Another process goes on with it.
    const second = await allRecords(source, first.cursor)
    const third = await allRecords(source, second.cursor)
    expect(new Set([first, second, third].flatMap(({ items }) => items.map(({ key }) => key))).size).toBe(399)
    expect(third.last).toMatchObject({ asOf: expect.any(Date) })
    await slow.close()
    await source.close()
  })
})

test('items of another thing in the table are none of the library’s; an odd one is set apart by its name', async () => {
  const { source } = await filled('shared', [
    item(1, 'COMPLETED'),
    { id: { S: 'USER#1' }, name: { S: 'Ada' } },
    item(2, 'COMPLETED', { expiration: { S: 'tomorrow' } }),
    item(3, 'PAUSED'),
  ])
  const { items, last } = await allRecords(source)
  expect(items.map(({ key }) => key)).toEqual(['000001'])
  expect(last?.unreadable).toMatchObject([{ key: '000002', reason: 'its expiration is no time in s' }])
  await expect(source.readKey('pay/POST /payments', '000002')).rejects.toMatchObject({
    name: 'UnreadableKeyError',
  })
  // Each time, not only when a walk comes by it: it has not ended.
  for (let turn = 0; turn < 2; turn++)
    expect((await source.readLeases({ limit: 10 })).unreadable).toMatchObject([{ key: '000002' }])
  expect((await source.readLeases({ limit: 10 })).leases).toMatchObject([{ key: '000003', state: 'unknown' }])
  await source.close()
})
