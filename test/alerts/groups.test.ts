import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { deliverDue } from '@/lib/alerts/notify/deliver'
import { planNotifications } from '@/lib/alerts/notify/plan'
import { writeConditions } from '@/lib/conditions/write-conditions'
import type { Context } from '@/lib/context'
import type { ConditionKind } from '@/lib/core/condition-kinds'
import { type NotifiedConsole, startNotifiedConsole } from './notified-console'

const MINUTE_MS = 60_000
let world: NotifiedConsole
let console: NotifiedConsole['database']
let hook: NotifiedConsole['hook']
let clock: NotifiedConsole['clock']
let receive: NotifiedConsole['receive']
let ctx: Context
beforeAll(async () => {
  world = await startNotifiedConsole()
  ;({ database: console, hook, clock, receive } = world)
  ctx = world.as('admin')
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.forget()
  clock.advance(60 * MINUTE_MS)
})

const KINDS: ConditionKind[] = ['duplicate_effects', 'stale_telemetry']
/** A pass of the job: what fires now, then what is to be told. */
const pass = async (findings: [ConditionKind, string][], afterMs = 10_000) => {
  clock.advance(afterMs)
  await writeConditions(
    console.db.pool,
    clock.now(),
    { kinds: KINDS },
    findings.map(([kind, subject]) => ({ kind, subject, detail: { value: 1 } })),
  )
  await planNotifications(ctx)
  return deliverDue(ctx)
}
const events = () => hook.received.map(({ body }) => body.event)
const services = (count: number): [ConditionKind, string][] =>
  Array.from({ length: count }, (_, index) => ['stale_telemetry', `service-${index}`])

/** Ten thousand services fall silent, or talk again: written set-wise, as fast as a database can. */
const raiseMany = () =>
  console.db.pool.query(
    `INSERT INTO condition (id, kind, subject, state, since, detail, checked_at)
     SELECT 'con_' || n, 'stale_telemetry', 'service-' || n, 'firing', $1, '{}', $1 FROM generate_series(1, 10000) n`,
    [clock.now()],
  )
const clearMany = () =>
  console.db.pool.query(`UPDATE condition SET state = 'cleared', cleared_at = $1, checked_at = $1`, [
    clock.now(),
  ])
const tell = async (afterMs = 10_000) => {
  clock.advance(afterMs)
  await planNotifications(ctx)
  await deliverDue(ctx)
}

test('10,000 alerts at once are one message with a count and five examples, and one when they are over', async () => {
  await receive()
  clock.advance(1_000)
  await raiseMany()
  await tell()
  expect(hook.received).toHaveLength(1)
  expect(hook.received[0]?.body).toMatchObject({
    event: 'raised',
    title: 'Service sends no telemetry, 10,000 alerts',
    group: { count: 10_000, firing: 10_000, open: true },
  })
  expect(hook.received[0]?.body.alerts).toHaveLength(5)
  for (let turn = 0; turn < 3; turn++) await tell()
  expect(hook.received).toHaveLength(1)
  await clearMany()
  await tell()
  await tell(6 * MINUTE_MS)
  expect(events()).toEqual(['raised', 'cleared'])
  expect(hook.received[1]?.body).toMatchObject({ group: { count: 10_000, firing: 0, open: false } })
  const states = await console.db.prisma.notification.groupBy({ by: ['transition', 'state'], _count: true })
  expect(states.map(({ transition, state, _count }) => [transition, state, _count]).sort()).toEqual([
    ['cleared', 'delivered', 10_000],
    ['raised', 'delivered', 10_000],
  ])
}, 120_000)

test('a group gets at most one message an interval; what came meanwhile is in the next; nothing is lost', async () => {
  await receive()
  const sentAt: number[] = []
  for (let turn = 1; turn <= 30; turn++) {
    const before = hook.received.length
    await pass(services(turn), 40_000)
    if (hook.received.length > before) sentAt.push(clock.now().getTime())
    expect(hook.received.length - before).toBeLessThanOrEqual(1)
  }
  const pauses = sentAt.slice(1).map((at, index) => at - (sentAt[index] ?? 0))
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(5 * MINUTE_MS)
  await pass(services(30), 5 * MINUTE_MS)
  const counts = hook.received.map(({ body }) => body.group.count)
  expect(counts.reduce((sum: number, count: number) => sum + count, 0)).toBe(30)
  expect(hook.received.at(-1)?.body.group.firing).toBe(30)
})

test('groups do not wait for one another: another kind is told at once', async () => {
  await receive()
  await pass([['stale_telemetry', 'a']])
  await pass([
    ['stale_telemetry', 'a'],
    ['stale_telemetry', 'b'],
    ['duplicate_effects', 'all'],
  ])
  expect(hook.received.map(({ body }) => body.alert.kind)).toEqual(['stale_telemetry', 'duplicate_effects'])
})

test.each([10, 30, 60, 90])(
  'ten minutes of flapping every %d s are one alert with a count',
  async (seconds) => {
    await receive()
    const everyMs = seconds * 1_000
    let raises = 0
    for (let ms = 0; ms < 10 * MINUTE_MS; ms += 2 * everyMs) {
      await pass([['duplicate_effects', 'all']], everyMs)
      raises += 1
      await pass([], everyMs)
    }
    expect(events()).toEqual(['raised'])
    for (let minute = 0; minute < 15; minute++) await pass([], MINUTE_MS)
    expect(events()).toEqual(['raised', 'cleared'])
    expect(hook.received[1]?.body.group).toMatchObject({ count: 1, raises })
    expect(hook.received[1]?.body.text).toContain(`Raised ${raises} times`)
    expect(hook.received[0]?.body.group.incident).toBe(hook.received[1]?.body.group.incident)
  },
  60_000,
)

test('what was told to be over and comes back is told again', async () => {
  await receive()
  await pass([['duplicate_effects', 'all']])
  await pass([])
  await pass([], 5 * MINUTE_MS)
  expect(events()).toEqual(['raised', 'cleared'])
  await pass([['duplicate_effects', 'all']], MINUTE_MS)
  await pass([['duplicate_effects', 'all']], 5 * MINUTE_MS)
  expect(events()).toEqual(['raised', 'cleared', 'raised'])
  const keys = hook.received.map(({ body }) => body.dedupeKey)
  expect(new Set(keys).size).toBe(3)
})

test('what came and went before it could be told is told once, as over', async () => {
  await receive()
  await pass([['stale_telemetry', 'a']])
  await pass(services(3))
  await pass([], MINUTE_MS)
  for (let minute = 0; minute < 8; minute++) await pass([], MINUTE_MS)
  expect(events()).toEqual(['raised', 'cleared'])
  expect(hook.received[1]?.body.group).toMatchObject({ count: 4, open: false })
})

test('a page that nobody acknowledged is repeated every hour; a ticket is not', async () => {
  await receive()
  const firing: [ConditionKind, string][] = [
    ['duplicate_effects', 'all'],
    ['stale_telemetry', 'a'],
  ]
  await pass(firing)
  const said = () => hook.received.map(({ body }) => `${body.event} ${body.alert.kind}`)
  expect(said().sort()).toEqual(['raised duplicate_effects', 'raised stale_telemetry'])
  for (let turn = 0; turn < 6; turn++) await pass(firing, 30 * MINUTE_MS)
  expect(said().slice(2)).toEqual([
    'reminder duplicate_effects',
    'reminder duplicate_effects',
    'reminder duplicate_effects',
  ])
  expect(hook.received.at(-1)?.body).toMatchObject({
    acknowledgeUrl: expect.stringContaining('acknowledge=1'),
    text: expect.stringContaining('Nobody has acknowledged it.'),
  })
})

test('a receiver that asks for more time gets it, up to an hour', async () => {
  await receive()
  hook.answers({ status: 429, headers: { 'retry-after': '90' } })
  await pass([['duplicate_effects', 'all']])
  hook.answers({ status: 503, headers: { 'retry-after': '999999' } })
  clock.advance(89_000)
  expect(await deliverDue(ctx)).toMatchObject({ retried: 0 })
  clock.advance(1_000)
  expect(await deliverDue(ctx)).toMatchObject({ retried: 1 })
  hook.answers({ status: 200 })
  clock.advance(59 * MINUTE_MS)
  expect(await deliverDue(ctx)).toMatchObject({ delivered: 0 })
  clock.advance(MINUTE_MS)
  expect(await deliverDue(ctx)).toMatchObject({ delivered: 1 })
  const tries = await console.db.prisma.deliveryTry.findMany({ orderBy: { number: 'asc' } })
  expect(tries.map(({ number, accepted, result }) => [number, accepted, Object(result).status])).toEqual([
    [1, false, 429],
    [2, false, 503],
    [3, true, 200],
  ])
})

test('a worker that dies while it sends leaves the message to another, under the same key', async () => {
  await receive()
  await pass([['duplicate_effects', 'all']])
  await console.db.pool.query(
    `UPDATE delivery SET state = 'waiting', attempts = attempts + 1, due_at = $1, finished_at = NULL`,
    [new Date(clock.now().getTime() + MINUTE_MS)],
  )
  expect(await deliverDue(ctx)).toMatchObject({ delivered: 0 })
  clock.advance(MINUTE_MS)
  expect(await deliverDue(ctx)).toMatchObject({ delivered: 1 })
  const [first, second] = hook.received
  expect(first?.headers['webhook-id']).toBe(second?.headers['webhook-id'])
  expect(events()).toEqual(['raised', 'raised'])
})
