import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { listAlerts } from '@/lib/alerts/list-alerts'
import { deliverDue } from '@/lib/alerts/notify/deliver'
import { listDeliveries } from '@/lib/alerts/notify/list-deliveries'
import { planNotifications } from '@/lib/alerts/notify/plan'
import { testReceiver } from '@/lib/alerts/notify/test-receiver'
import { writeConditions } from '@/lib/conditions/write-conditions'
import type { Context } from '@/lib/context'
import type { ConditionKind } from '@/lib/core/condition-kinds'
import { type NotifiedConsole, startNotifiedConsole } from './notified-console'

// What receivers, the past and other versions may do to notification: nothing lost, no storm, nothing secret shown.

const MINUTE_MS = 60_000
let world: NotifiedConsole
let hook: NotifiedConsole['hook']
let clock: NotifiedConsole['clock']
let ctx: Context
beforeAll(async () => {
  world = await startNotifiedConsole()
  ;({ hook, clock } = world)
  ctx = world.as('admin')
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.forget()
  clock.advance(60 * MINUTE_MS)
})

const KINDS: ConditionKind[] = ['stuck_keys', 'stale_telemetry', 'stale_source']
const pass = async (findings: [ConditionKind, string][], afterMs = 10_000) => {
  clock.advance(afterMs)
  await writeConditions(
    ctx.db.pool,
    clock.now(),
    { kinds: KINDS },
    findings.map(([kind, subject]) => ({ kind, subject, detail: { count: 1 } })),
  )
  await planNotifications(ctx)
  return deliverDue(ctx)
}
const events = () => hook.received.map(({ body }) => `${body.event} ${body.alert.kind}`)
const log = async () => (await listDeliveries(ctx.db, {}, { limit: 100 })).items

test('a ticket that no try could deliver is told once its receiver takes messages again, and is then told as over', async () => {
  await world.receive()
  hook.answers({ status: 503 })
  for (let minute = 0; minute < 20; minute++) await pass([['stale_source', 'src_1']], MINUTE_MS)
  hook.answers({ status: 200, body: 'ok' })
  hook.received.length = 0
  for (let minute = 0; minute < 60; minute++) await pass([['stale_source', 'src_1']], MINUTE_MS)
  expect(events()).toEqual(['reminder stale_source'])
  const { items } = await listAlerts(ctx.db, clock.now(), {}, { limit: 10 })
  expect(items[0]?.notifications).toMatchObject([{ transition: 'raised', state: 'delivered' }])
  for (let minute = 0; minute < 10; minute++) await pass([], MINUTE_MS)
  expect(events()).toEqual(['reminder stale_source', 'cleared stale_source'])
})

test('a receiver that refuses for good is asked four times an hour, not more', async () => {
  await world.receive()
  hook.answers({ status: 404 })
  for (let minute = 0; minute < 60; minute++) await pass([['stale_source', 'src_1']], MINUTE_MS)
  expect(hook.received.length).toBe(4)
})

test('a message that cannot be made holds up no other, and ends', async () => {
  await world.receive()
  await pass([['stuck_keys', 'payments']])
  hook.received.length = 0
  // As a version with other figures wrote it.
  clock.advance(2 * 60 * MINUTE_MS)
  await ctx.db.prisma.condition.updateMany({ data: { detail: { count: 'many' } } })
  await ctx.db.prisma.alertEpisode.updateMany({ data: { detail: { count: 'many' } } })
  await planNotifications(ctx)
  await ctx.db.pool.query(`INSERT INTO alert_episode (id, kind, subject, severity, since, detail)
    VALUES ('alr_other', 'stale_telemetry', 'web', 'ticket', now(), '{}')`)
  await ctx.db.prisma.alertEpisode.updateMany({ where: { id: 'alr_other' }, data: { since: clock.now() } })
  for (let minute = 0; minute < 20; minute++) {
    clock.advance(MINUTE_MS)
    await planNotifications(ctx)
    await deliverDue(ctx)
  }
  expect(events()).toEqual(['raised stale_telemetry'])
  expect((await log()).find(({ event }) => event === 'reminder')).toMatchObject({ state: 'failed' })
})

test('messages of a kind that only another version knows are left to it, and hold up none', async () => {
  await world.receive()
  hook.answers({ status: 503 })
  await pass([['stale_source', 'src_1']])
  await ctx.db.prisma.notificationGroup.updateMany({ data: { kind: 'moon_phase' } })
  hook.answers({ status: 200, body: 'ok' })
  await pass([['stale_telemetry', 'web']], MINUTE_MS)
  expect(events().at(-1)).toBe('raised stale_telemetry')
})

test('a receiver that asks for time is not sent its other messages meanwhile', async () => {
  await world.receive()
  hook.answers({ status: 429, headers: { 'retry-after': '30' } })
  const groups: [ConditionKind, string][] = [
    ['stale_source', 'src_1'],
    ['stale_telemetry', 'web'],
    ['stuck_keys', 'payments'],
  ]
  expect(await pass(groups)).toMatchObject({ delivered: 0 })
  // Those that were under way at once may have gone out beside it, and no more.
  expect(hook.received.length).toBeLessThanOrEqual(3)
  hook.answers({ status: 200, body: 'ok' })
  for (let n = 0; n < 6; n++) await pass(groups, 15_000)
  expect((await log()).map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered'])
})

test('what is secret of a receiver is not shown, whatever the receiver sends back', async () => {
  const key = '0123456789abcdef0123456789abcdef'
  const receivers = [
    await world.receive({ name: 'hook' }),
    await world.receive({ name: 'duty', kind: 'pagerduty', url: hook.url, routingKey: key }),
    await world.receive({ name: 'genie', kind: 'opsgenie', url: hook.url, apiKey: 'genie-key-1' }),
    await world.receive({
      name: 'manager',
      kind: 'alertmanager',
      url: hook.url,
      username: 'u',
      password: 'pass-word-1',
    }),
  ]
  for (const { id } of receivers) {
    hook.answers({ status: 400, body: `no such hook/s3cret, ${key}, GenieKey genie-key-1, pass-word-1` })
    const { body } = await testReceiver(ctx, id)
    expect(body).toContain('[redacted]')
    expect(body).not.toContain('s3cret')
  }
  const [, duty, genie, manager] = receivers
  expect((await testReceiver(ctx, duty?.id ?? '')).body).not.toContain(key)
  expect((await testReceiver(ctx, genie?.id ?? '')).body).not.toContain('genie-key-1')
  expect((await testReceiver(ctx, manager?.id ?? '')).body).not.toContain('pass-word-1')
})
