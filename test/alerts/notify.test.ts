import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { listAlerts } from '@/lib/alerts/list-alerts'
import { addReceiver } from '@/lib/alerts/notify/add-receiver'
import { countPages } from '@/lib/alerts/notify/count-pages'
import { deliverDue } from '@/lib/alerts/notify/deliver'
import { planNotifications } from '@/lib/alerts/notify/plan'
import { removeReceiver } from '@/lib/alerts/notify/remove-receiver'
import { testReceiver } from '@/lib/alerts/notify/test-receiver'
import { createSilence } from '@/lib/alerts/silences/create'
import { expireSilence } from '@/lib/alerts/silences/expire'
import { writeConditions } from '@/lib/conditions/write-conditions'
import type { Context } from '@/lib/context'
import type { ConditionKind } from '@/lib/core/condition-kinds'
import { type NotifiedConsole, REASON, startNotifiedConsole } from './notified-console'
import { startWebhook } from './webhook'

let world: NotifiedConsole
let console: NotifiedConsole['database']
let hook: NotifiedConsole['hook']
let clock: NotifiedConsole['clock']
let ctx: Context
beforeAll(async () => {
  world = await startNotifiedConsole()
  ;({ database: console, hook, clock } = world)
  ctx = world.as('admin')
})
afterAll(() => world.close())

let receiverId: string
/** Nothing fires, one receiver that answers 200. */
beforeEach(async () => {
  await world.forget()
  clock.advance(60_000)
  receiverId = (await world.receive({ paging: true })).id
})

const KINDS: ConditionKind[] = ['duplicate_effects', 'stale_source']
const evaluate = async (...kinds: ConditionKind[]) => {
  clock.advance(1_000)
  const findings = kinds.map((kind) => ({ kind, subject: 'all', detail: { numerator: 3 } }))
  await writeConditions(console.db.pool, clock.now(), { kinds: KINDS }, findings)
  await planNotifications(ctx)
}
/** What ended is told once it has been over for a while. */
const settle = () => clock.advance(5 * 60_000)
const alerts = async () => (await listAlerts(console.db, clock.now(), {}, { limit: 50 })).items
const hush = (minutes: number) =>
  createSilence(ctx, {
    kind: 'duplicate_effects',
    endsAt: new Date(clock.now().getTime() + minutes * 60_000).toISOString(),
    reason: 'known',
  })

test('raised and cleared are each delivered once, though two workers plan and deliver', async () => {
  await evaluate('duplicate_effects')
  await Promise.all([planNotifications(ctx), planNotifications(ctx)])
  await Promise.all([deliverDue(ctx), deliverDue(ctx)])
  await evaluate('duplicate_effects')
  await deliverDue(ctx)
  await evaluate()
  settle()
  await Promise.all([deliverDue(ctx), deliverDue(ctx)])
  const [alert] = await alerts()
  expect(hook.received.map(({ body }) => body.event)).toEqual(['raised', 'cleared'])
  const [raised] = hook.received
  expect(raised?.headers['idempotency-key']).toBe(`"${raised?.body.dedupeKey}"`)
  expect(raised?.body).toMatchObject({
    version: 1,
    dedupeKey: `${alert?.id}:raised`,
    environment: 'staging',
    alert: { id: alert?.id, kind: 'duplicate_effects', detail: { numerator: 3 }, clearedAt: null },
  })
  // It pages: an incident was opened with it.
  expect(raised?.body.alert.incidentId).toMatch(/^inc_/)
  expect(raised?.body.url).toMatch(new RegExp(`/incidents/${raised?.body.alert.incidentId}$`))
  expect(alert?.notifications.map(({ transition, state }) => `${transition} ${state}`)).toEqual([
    'raised delivered',
    'cleared delivered',
  ])
})

test('silenced: nobody is told, and evaluation and history go on; when it ends while it fires, they are', async () => {
  const { id } = await hush(60)
  await evaluate('duplicate_effects', 'stale_source')
  await deliverDue(ctx)
  expect(hook.received.map(({ body }) => body.alert.kind)).toEqual(['stale_source'])
  const silenced = (await alerts()).find(({ kind }) => kind === 'duplicate_effects')
  expect(silenced).toMatchObject({ state: 'firing', silences: [id], notifications: [] })
  await evaluate()
  await evaluate('duplicate_effects')
  expect((await alerts()).filter(({ kind }) => kind === 'duplicate_effects')).toMatchObject([
    { state: 'firing', times: 2 },
  ])
  await deliverDue(ctx)
  hook.received.length = 0
  await expireSilence(ctx, { id, reason: 'mended' })
  await evaluate('duplicate_effects')
  await deliverDue(ctx)
  expect(hook.received.map(({ body }) => `${body.event} ${body.alert.kind}`)).toEqual([
    'raised duplicate_effects',
  ])
  await expect(expireSilence(ctx, { id, reason: 'again' })).rejects.toMatchObject({ code: 'conflict' })
})

test('a silence that begins after it was planned holds; what cleared meanwhile is not told later', async () => {
  await evaluate('duplicate_effects')
  await deliverDue(ctx)
  await hush(60)
  await evaluate()
  settle()
  expect(await deliverDue(ctx)).toMatchObject({ silenced: 1, delivered: 0 })
  expect(hook.received.map(({ body }) => body.event)).toEqual(['raised'])
})

test('a receiver that is down is tried again, and what it said is kept; the end waits for the beginning', async () => {
  hook.answers({ status: 503, body: 'down for maintenance, Bearer abcdefgh12345678' })
  await evaluate('duplicate_effects')
  expect(await deliverDue(ctx)).toMatchObject({ retried: 1 })
  expect((await alerts())[0]?.notifications).toMatchObject([
    { state: 'waiting', attempts: 1, result: { status: 503, body: 'down for maintenance, [redacted]' } },
  ])
  expect(await deliverDue(ctx)).toMatchObject({ retried: 0 })
  await evaluate()
  hook.answers({ status: 200 })
  clock.advance(10_000)
  expect(await deliverDue(ctx)).toMatchObject({ delivered: 1 })
  settle()
  expect(await deliverDue(ctx)).toMatchObject({ delivered: 1 })
  expect(hook.received.map(({ body }) => body.event)).toEqual(['raised', 'raised', 'cleared'])
  expect(hook.received[0]?.body.dedupeKey).toBe(hook.received[1]?.body.dedupeKey)
})

test('after five tries it has failed, and says so', async () => {
  hook.answers({ status: 500 })
  await evaluate('duplicate_effects')
  for (let attempt = 1; attempt <= 5; attempt++) {
    await deliverDue(ctx)
    clock.advance(600_000)
  }
  expect((await alerts())[0]?.notifications).toMatchObject([{ state: 'failed', attempts: 5 }])
  expect(hook.received.filter(({ body }) => body.event === 'raised')).toHaveLength(5)
})

test('a redirect is not followed', async () => {
  const other = await startWebhook()
  hook.answers({ status: 302, headers: { location: other.url } })
  await evaluate('duplicate_effects')
  expect(await deliverDue(ctx)).toMatchObject({ failed: 1 })
  expect(await testReceiver(ctx, receiverId)).toMatchObject({ kind: 'answered', status: 302 })
  expect(other.received).toEqual([])
  await other.close()
})

test('a test is a real message and gives the real answer, good or bad; it is audited', async () => {
  hook.answers({ status: 418, body: 'a teapot' })
  const answer = await testReceiver(ctx, receiverId)
  expect(answer).toMatchObject({ kind: 'answered', status: 418, body: 'a teapot', error: null })
  expect(hook.received).toMatchObject([{ path: '/hook/s3cret', body: { event: 'test', alert: null } }])
  const other = await startWebhook()
  const gone = await addReceiver(ctx, { name: 'gone', url: other.url, reason: REASON })
  await other.close()
  expect(await testReceiver(ctx, gone.id)).toMatchObject({
    kind: 'failed',
    status: null,
    error: expect.stringContaining('ECONNREFUSED'),
  })
  const entries = await console.db.prisma.auditEntry.findMany({ where: { verb: 'receiver.test' } })
  expect(entries.at(-1)).toMatchObject({ subject: gone.id, outcome: 'failed' })
})

test('the URL is kept sealed, shown as its host alone, and forgotten when the receiver is removed', async () => {
  const row = await console.db.prisma.receiver.findUniqueOrThrow({ where: { id: receiverId } })
  expect(row.host).toBe(hook.host)
  expect(Buffer.from(row.secret).toString('latin1')).not.toContain('s3cret')
  const entries = await console.db.prisma.auditEntry.findMany({ where: { subject: receiverId } })
  expect(JSON.stringify(entries.map(({ after }) => after))).not.toContain('s3cret')
  await evaluate('duplicate_effects')
  await removeReceiver(ctx, { id: receiverId, reason: REASON })
  expect(await deliverDue(ctx)).toMatchObject({ failed: 1 })
  expect(hook.received).toEqual([])
})

test('M10 counts what pagers were told of duplicates in a week; without a pager it is not measured', async () => {
  expect(await countPages(console.db, clock.now())).toBe(0)
  await evaluate('duplicate_effects', 'stale_source')
  await deliverDue(ctx)
  await evaluate()
  await deliverDue(ctx)
  clock.advance(1_000)
  expect(await countPages(console.db, clock.now())).toBe(1)
  expect(await countPages(console.db, new Date(clock.now().getTime() + 8 * 86_400_000))).toBe(0)
  await removeReceiver(ctx, { id: receiverId, reason: REASON })
  expect(await countPages(console.db, clock.now())).toBeNull()
})
