import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { addReceiver } from '@/lib/alerts/notify/add-receiver'
import { standInForWorker } from '@/lib/alerts/stand-in'
import type { Context } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import { silentLog } from '@/lib/log'
import { heartbeatProcess } from '@/lib/runs/processes'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'
import { startWebhook } from './webhook'

vi.hoisted(() => {
  process.env.IDEMSCOPE_CREDENTIALS_KEY = 'ab'.repeat(32)
  process.env.IDEMSCOPE_OUTBOUND_ALLOW = '127.0.0.1/32'
})

let console: TestDatabase
let hook: Awaited<ReturnType<typeof startWebhook>>
let ctx: Context
const clock = manualClock('2026-03-01T12:00:00Z')
beforeAll(async () => {
  console = await createTestDatabase()
  hook = await startWebhook()
  ctx = {
    db: console.db,
    clock,
    log: silentLog,
    queue: noQueue,
    actor: { kind: 'user', userId: 'u1', name: 'Ada', role: 'admin', via: 'session' },
    requestId: 'req_stand_in',
  }
  await ensurePartitions(console.db, clock)
  await addReceiver(ctx, { name: 'pager', url: hook.url, paging: true, reason: 'the pager of the team' })
  hook.answers({ status: 200, body: 'ok' })
})
afterAll(async () => {
  await hook.close()
  await console.close()
})

test('that the last worker died is told by the console itself, once, however many of it there are', async () => {
  await heartbeatProcess(console.db, { id: 'prc_1', kind: 'worker', pid: 1 }, clock)
  clock.advance(15_000)
  expect(await standInForWorker(ctx)).toBe(false)
  clock.advance(1)
  expect(await standInForWorker(ctx)).toBe(true)
  expect(hook.received).toEqual([])
  clock.advance(45_000)
  await Promise.all([1, 2, 3].map(() => standInForWorker(ctx)))
  await standInForWorker(ctx)
  const told = hook.received.map(({ body }) => `${body.event} ${body.alert.kind}`)
  expect(told.filter((text) => text.endsWith('worker_dead'))).toEqual(['raised worker_dead'])
})
