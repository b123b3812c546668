import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { z } from 'zod'
import { acknowledge, unacknowledge } from '@/lib/alerts/acknowledge/acknowledge'
import { readAcknowledgements } from '@/lib/alerts/acknowledge/read'
import { evaluateConditions } from '@/lib/alerts/evaluate/evaluate'
import { deliverDue } from '@/lib/alerts/notify/deliver'
import { listDeliveries } from '@/lib/alerts/notify/list-deliveries'
import { planNotifications } from '@/lib/alerts/notify/plan'
import { readFailingReceivers } from '@/lib/alerts/notify/read-failing'
import { listRoutes } from '@/lib/alerts/routes/list'
import { isQuiet, type Quiet, quietSchema } from '@/lib/alerts/routes/quiet'
import { addRoute, type addRouteSchema, changeRoute, removeRoute } from '@/lib/alerts/routes/set-route'
import { readConditions } from '@/lib/conditions/read-conditions'
import { writeConditions } from '@/lib/conditions/write-conditions'
import type { Context } from '@/lib/context'
import type { ConditionKind } from '@/lib/core/condition-kinds'
import { type NotifiedConsole, REASON, startNotifiedConsole } from './notified-console'

const MINUTE_MS = 60_000
let world: NotifiedConsole
let console: NotifiedConsole['database']
let hook: NotifiedConsole['hook']
let clock: NotifiedConsole['clock']
let as: NotifiedConsole['as']
let ctx: Context
let receiverId: string
beforeAll(async () => {
  world = await startNotifiedConsole()
  ;({ database: console, hook, clock, as } = world)
  ctx = as('admin')
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.forget()
  clock.advance(60 * MINUTE_MS)
  receiverId = (await world.receive()).id
})

const KINDS: ConditionKind[] = ['duplicate_effects', 'stale_telemetry', 'stale_source']
type Firing = [ConditionKind, string, string?]
const pass = async (findings: Firing[], afterMs = 10_000) => {
  clock.advance(afterMs)
  await writeConditions(
    console.db.pool,
    clock.now(),
    { kinds: KINDS },
    findings.map(([kind, subject, system]) => ({ kind, subject, detail: { value: 1, system } })),
  )
  await planNotifications(ctx)
  return deliverDue(ctx)
}
const said = () => hook.received.map(({ body }) => `${body.event} ${body.alert.subject}`)
type RouteInput = z.input<typeof addRouteSchema>
const route = (terms: Partial<RouteInput> = {}) =>
  addRoute(ctx, { name: `route ${terms.name ?? ''}`, receiverId, reason: REASON, ...terms })
const DUPLICATES: Firing = ['duplicate_effects', 'all']
const openAlert = async (kind: ConditionKind) =>
  (await console.db.prisma.alertEpisode.findFirstOrThrow({ where: { kind, clearedAt: null } })).id

test('a route says which severity, kinds and systems a receiver is told; without one it is told everything', async () => {
  const firing: Firing[] = [
    DUPLICATES,
    ['stale_telemetry', 'a'],
    ['stale_source', 'ledger', 'payments'],
    ['stale_source', 'other', 'payouts'],
  ]
  const made = await route({ systems: ['payments'], kinds: ['stale_source'], severity: 'ticket' })
  await pass(firing)
  expect(said()).toEqual(['raised ledger'])
  await route({ name: 'pages', severity: 'page' })
  await pass(firing)
  expect(said()).toEqual(['raised ledger', 'raised all'])
  for (const each of await listRoutes(console.db))
    await removeRoute(ctx, each.id, { version: each.version, reason: REASON })
  await pass(firing)
  expect(said().slice(2).sort()).toEqual(['raised a', 'raised other'])
  expect(made.version).toBe(1)
  await pass([])
  await pass([], 5 * MINUTE_MS)
  expect(
    said()
      .filter((each) => each.startsWith('cleared'))
      .sort(),
  ).toEqual(['cleared a', 'cleared all', 'cleared ledger', 'cleared other'])
})

test('a change is another version, audited with what was before; a stale one is a conflict', async () => {
  const first = await route()
  const second = await changeRoute(ctx, first.id, {
    name: 'pages',
    severity: 'page',
    version: 1,
    reason: REASON,
  })
  expect(second).toMatchObject({ id: first.id, version: 2, severity: 'page', intervalMs: 300_000 })
  await expect(changeRoute(ctx, first.id, { name: 'x', version: 1, reason: REASON })).rejects.toMatchObject({
    code: 'conflict',
    meta: { current: { version: 2 } },
  })
  await expect(changeRoute(ctx, 'rte_none', { name: 'x', version: 1, reason: REASON })).rejects.toMatchObject(
    {
      code: 'not_found',
    },
  )
  expect(await listRoutes(console.db)).toMatchObject([{ version: 2, name: 'pages' }])
  expect(await console.db.prisma.notificationRoute.count()).toBe(2)
  const entries = await console.db.prisma.auditEntry.findMany({
    where: { subject: first.id },
    orderBy: { at: 'asc' },
  })
  expect(entries.map(({ verb }) => verb).sort()).toEqual(['route.add', 'route.change'])
  expect(entries.find(({ verb }) => verb === 'route.change')).toMatchObject({
    before: { version: 1 },
    after: { version: 2 },
  })
})

test.each([
  ['an unknown kind', { kinds: ['nothing'] }],
  ['an interval of a second', { intervalMs: 1_000 }],
  ['a time that is none', { quiet: { from: '25:00', to: '07:00', zone: 'UTC' } }],
  ['a zone that is none', { quiet: { from: '22:00', to: '07:00', zone: 'Mars/Olympus' } }],
  ['hours without length', { quiet: { from: '22:00', to: '22:00', zone: 'UTC' } }],
  ['an unknown field', { template: '{{ nothing }}' }],
] as [string, Partial<RouteInput>][])('a route with %s is refused', async (_, terms) => {
  await expect(route(terms)).rejects.toThrow()
  expect(await listRoutes(console.db)).toEqual([])
})

test('routes and acknowledgements need their roles', async () => {
  await pass([DUPLICATES])
  const id = await openAlert('duplicate_effects')
  for (const role of ['viewer', 'operator', 'approver'] as const)
    await expect(addRoute(as(role), { name: 'x', receiverId, reason: REASON })).rejects.toMatchObject({
      code: 'forbidden',
    })
  await expect(acknowledge(as('viewer'), id, {})).rejects.toMatchObject({ code: 'forbidden' })
})

const NIGHT: Quiet = quietSchema.parse({
  from: '22:00',
  to: '07:00',
  zone: 'Europe/Berlin',
  days: ['Fri', 'Sat'],
})
test.each([
  ['2026-03-06T20:59:00Z', false, 'before it begins on Friday'],
  ['2026-03-06T21:00:00Z', true, 'from 22:00 in Berlin'],
  ['2026-03-07T05:59:00Z', true, 'on the morning after'],
  ['2026-03-07T06:00:00Z', false, 'until 07:00'],
  ['2026-03-08T05:00:00Z', true, 'the night that began on Saturday'],
  ['2026-03-08T22:00:00Z', false, 'not on Sunday'],
  ['2026-07-03T20:30:00Z', true, 'in summer an hour earlier'],
])('quiet hours, %s: %s, %s', (at, quiet) => {
  expect(isQuiet(NIGHT, new Date(at))).toBe(quiet)
})

test('quiet hours hold back tickets and no pages; what was held is told when they end, in one message', async () => {
  const now = clock.now()
  const time = (minutes: number) => new Date(now.getTime() + minutes * MINUTE_MS).toISOString().slice(11, 16)
  await route({ quiet: { from: time(-1), to: time(60), zone: 'UTC' } })
  await pass([DUPLICATES, ['stale_telemetry', 'a'], ['stale_telemetry', 'b'], ['stale_telemetry', 'c']])
  expect(said()).toEqual(['raised all'])
  for (let turn = 0; turn < 5; turn++)
    await pass([DUPLICATES, ['stale_telemetry', 'a'], ['stale_telemetry', 'b']], 10 * MINUTE_MS)
  expect(said()).toEqual(['raised all'])
  await pass([DUPLICATES, ['stale_telemetry', 'a'], ['stale_telemetry', 'b']], 12 * MINUTE_MS)
  const held = hook.received.filter(({ body }) => body.alert.kind === 'stale_telemetry')
  expect(held.map(({ body }) => [body.event, body.group.count])).toEqual([['raised', 2]])
  await pass([DUPLICATES, ['stale_telemetry', 'a'], ['stale_telemetry', 'b']], 6 * MINUTE_MS)
  const later = hook.received.filter(({ body }) => body.alert.kind === 'stale_telemetry')
  expect(later.map(({ body }) => [body.event, body.group.count])).toEqual([
    ['raised', 2],
    ['cleared', 1],
  ])
})

test('pages are held back as well where the route says so', async () => {
  const now = clock.now()
  const time = (minutes: number) => new Date(now.getTime() + minutes * MINUTE_MS).toISOString().slice(11, 16)
  await route({ quiet: { from: time(-1), to: time(30), zone: 'UTC', holdsPages: true } })
  await pass([DUPLICATES])
  expect(said()).toEqual([])
  await pass([DUPLICATES], 31 * MINUTE_MS)
  expect(said()).toEqual(['raised all'])
})

test('acknowledged: told everywhere, no reminders; when it ends and it fires on, another incident takes its place', async () => {
  await pass([DUPLICATES])
  const id = await openAlert('duplicate_effects')
  const made = await acknowledge(as('operator'), id, { note: 'looking' })
  expect(made).toMatchObject({ byName: 'the operator', note: 'looking' })
  const held = await readAcknowledgements(console.db, clock.now())
  expect(held({ kind: 'duplicate_effects', detail: {} })).toMatchObject({ id: made.id })
  expect(held({ kind: 'stale_source', detail: {} })).toBeNull()
  for (let turn = 0; turn < 7; turn++) await pass([DUPLICATES], 15 * MINUTE_MS)
  expect(said()).toEqual(['raised all', 'acknowledged all'])
  expect(hook.received[1]?.body.text).toContain('the operator looks after it until')
  await pass([DUPLICATES], 20 * MINUTE_MS)
  expect(said().slice(2)).toEqual(['escalated all'])
  const [raised, , escalated] = hook.received.map(({ body }) => body.group)
  expect(escalated).toMatchObject({ replaces: raised?.incident, open: true })
  await pass([DUPLICATES], 20 * MINUTE_MS)
  expect(hook.received).toHaveLength(3)
  await pass([DUPLICATES], 61 * MINUTE_MS)
  expect(said().slice(3)).toEqual(['reminder all'])
  await pass([])
  await pass([], 10 * MINUTE_MS)
  expect(hook.received.at(-1)?.body).toMatchObject({
    event: 'cleared',
    group: { incident: escalated?.incident, open: false },
  })
  await expect(acknowledge(ctx, id, {})).rejects.toMatchObject({ code: 'conflict' })
  const entries = await console.db.prisma.auditEntry.findMany({ where: { verb: 'alert.acknowledge' } })
  expect(entries).toMatchObject([{ subject: id, outcome: 'done' }])
})

test('withdrawn, reminders go on; a later acknowledgement takes the place of the first', async () => {
  await pass([DUPLICATES])
  const id = await openAlert('duplicate_effects')
  await acknowledge(as('operator'), id, {})
  await acknowledge(as('approver'), id, { minutes: 60 })
  const held = await readAcknowledgements(console.db, clock.now())
  expect(held({ kind: 'duplicate_effects', detail: {} })).toMatchObject({ byName: 'the approver' })
  expect(await console.db.prisma.acknowledgement.count({ where: { endedAt: null } })).toBe(1)
  await unacknowledge(as('operator'), id)
  await expect(unacknowledge(as('operator'), id)).rejects.toMatchObject({ code: 'conflict' })
  await pass([DUPLICATES], 61 * MINUTE_MS)
  expect(said().at(-1)).toBe('reminder all')
})

test('an acknowledgement ends with what it is about: what comes later is told and repeated', async () => {
  await pass([DUPLICATES])
  await acknowledge(ctx, await openAlert('duplicate_effects'), { minutes: 24 * 60 })
  await pass([DUPLICATES])
  await pass([])
  await pass([], 10 * MINUTE_MS)
  expect(said()).toEqual(['raised all', 'acknowledged all', 'cleared all'])
  await pass([DUPLICATES], 10 * MINUTE_MS)
  await pass([DUPLICATES], 61 * MINUTE_MS)
  expect(said().slice(3)).toEqual(['raised all', 'reminder all'])
})

test('the log has what was sent and what each try was answered; three failures in a row are a dead receiver', async () => {
  hook.answers({ status: 503, body: 'down' })
  await pass([DUPLICATES])
  const failing = () => readFailingReceivers(console.db, clock.now())
  expect(await failing()).toEqual([])
  for (let turn = 0; turn < 2; turn++) await pass([DUPLICATES], 2 * MINUTE_MS)
  expect(await failing()).toMatchObject([
    { id: receiverId, name: 'pager', kind: 'webhook', failures: 3, lastError: 'It answered 503' },
  ])
  await evaluateConditions(ctx)
  const conditions = await readConditions(console.db)
  expect(conditions.filter(({ kind }) => kind === 'notification_failing')).toMatchObject([
    { subject: receiverId, severity: 'page', detail: { name: 'pager', error: 'It answered 503' } },
  ])
  await console.db.pool.query(`DELETE FROM condition WHERE kind <> 'duplicate_effects'`)
  const log = async () => (await listDeliveries(console.db, { receiver: receiverId }, { limit: 10 })).items
  expect(await log()).toMatchObject([
    {
      event: 'raised',
      state: 'waiting',
      receiver: 'pager',
      kind: 'duplicate_effects',
      message: { headline: expect.stringContaining('Firing: Duplicate side effects above target'), count: 1 },
      tries: [
        { accepted: false, status: 503, body: 'down' },
        { accepted: false, status: 503 },
        { accepted: false, status: 503 },
      ],
    },
  ])
  hook.answers({ status: 200 })
  await pass([DUPLICATES], 2 * MINUTE_MS)
  expect(await failing()).toEqual([])
  const alert = await openAlert('duplicate_effects')
  const about = await listDeliveries(console.db, { alert, state: ['delivered'] }, { limit: 10 })
  expect(about.items).toHaveLength(1)
  expect((await listDeliveries(console.db, { state: ['failed'] }, { limit: 10 })).items).toEqual([])
})
