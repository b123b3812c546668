import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { readConditions } from '@/lib/conditions/read-conditions'
import { TERMS_SETTING } from '@/lib/conditions/terms'
import { type Finding, writeConditions } from '@/lib/conditions/write-conditions'
import { createTestDatabase, type TestDatabase } from '../support/database'

let console: TestDatabase
beforeAll(async () => {
  console = await createTestDatabase()
})
afterAll(() => console.close())
beforeEach(async () => {
  await console.db.pool.query('TRUNCATE condition, alert_episode, setting CASCADE')
})

const at = (seconds: number) => new Date(Date.parse('2026-03-02T03:00:00Z') + seconds * 1000)
const stuck: Finding = { kind: 'stuck_keys', subject: 'payments', detail: { system: 'payments', count: 3 } }
const write = (seconds: number, ...findings: Finding[]) =>
  writeConditions(console.db.pool, at(seconds), { kinds: ['stuck_keys'] }, findings)
const setTerms = (rules: unknown[]) =>
  console.db.prisma.setting.create({
    data: { key: TERMS_SETTING, value: { rules } as object, updatedAt: at(0), updatedBy: 'test' },
  })
const episodes = () =>
  console.db.prisma.alertEpisode.findMany({
    orderBy: { since: 'asc' },
    select: { severity: true, times: true, since: true, clearedAt: true },
  })

test('one that has to hold for a minute fires after a minute, from when it was first found', async () => {
  await setTerms([{ kind: 'stuck_keys', forMs: 60_000 }])
  expect(await write(0, stuck)).toMatchObject({ raised: 0 })
  expect(await write(59, stuck)).toMatchObject({ raised: 0 })
  expect(await readConditions(console.db)).toEqual([])
  expect(await write(60, stuck)).toMatchObject({ raised: 1 })
  expect(await readConditions(console.db)).toMatchObject([{ since: at(0).toISOString(), severity: 'page' }])
  expect(await write(70, stuck)).toMatchObject({ raised: 0 })
  expect(await episodes()).toMatchObject([{ since: at(0), times: 1, clearedAt: null }])
})

test('one that goes before its time is never told, and starts anew', async () => {
  await setTerms([{ kind: 'stuck_keys', forMs: 60_000 }])
  await write(0, stuck)
  expect(await write(30)).toEqual({ firing: 0, raised: 0, cleared: 0 })
  await write(40, stuck)
  expect(await write(90, stuck)).toMatchObject({ raised: 0 })
  expect(await write(100, stuck)).toMatchObject({ raised: 1 })
})

test('ten minutes of flapping are one alert with a count; what comes back later is another', async () => {
  for (let second = 0; second < 600; second += 60) {
    await write(second, stuck)
    await write(second + 30)
  }
  expect(await episodes()).toEqual([{ severity: 'page', times: 10, since: at(0), clearedAt: at(570) }])
  await write(570 + 301, stuck)
  expect(await episodes()).toMatchObject([{ times: 10 }, { times: 1, clearedAt: null }])
})

test('one that changes its severity ends, and is an alert of its own: a page has an end once only a ticket is left of it', async () => {
  await write(0, { ...stuck, severity: 'ticket' })
  await write(30, { ...stuck, severity: 'page' })
  expect(await episodes()).toEqual([
    { severity: 'ticket', times: 1, since: at(0), clearedAt: at(30) },
    { severity: 'page', times: 1, since: at(30), clearedAt: null },
  ])
  // Nobody was told that the ticket had ended: it goes on.
  expect(await write(60, { ...stuck, severity: 'ticket' })).toMatchObject({ raised: 1 })
  expect(await episodes()).toEqual([
    { severity: 'ticket', times: 2, since: at(0), clearedAt: null },
    { severity: 'page', times: 1, since: at(30), clearedAt: at(60) },
  ])
  await write(400, { ...stuck, severity: 'page' })
  await write(430, { ...stuck, severity: 'ticket' })
  await write(800)
  expect(await episodes()).toEqual([
    { severity: 'ticket', times: 3, since: at(0), clearedAt: at(800) },
    { severity: 'page', times: 1, since: at(30), clearedAt: at(60) },
    { severity: 'page', times: 1, since: at(400), clearedAt: at(430) },
  ])
})

test('a rule decides who is to know, and one that is switched off somewhere is cleared there', async () => {
  const orders: Finding = { ...stuck, subject: 'orders', detail: { system: 'orders', count: 1 } }
  await write(0, stuck, orders)
  await setTerms([
    { kind: 'stuck_keys', severity: 'ticket' },
    { kind: 'stuck_keys', when: { system: 'orders' }, severity: 'off' },
  ])
  expect(await write(10, stuck, orders)).toEqual({ firing: 1, raised: 1, cleared: 1 })
  expect(await readConditions(console.db)).toMatchObject([{ subject: 'payments', severity: 'ticket' }])
})

test('many that raise it for the first time at once raise it once, and none of them fails', async () => {
  for (let round = 0; round < 100; round += 1) {
    const found = { ...stuck, subject: `payments-${round}` }
    const written = await Promise.all(Array.from({ length: 8 }, () => write(round, found)))
    expect(written.every(({ firing }) => firing === 1)).toBe(true)
  }
  expect(await console.db.prisma.condition.count()).toBe(100)
})
