import { afterAll, beforeAll, expect, test } from 'vitest'
import { standInForWorker } from '@/lib/alerts/stand-in'
import type { Context } from '@/lib/context'
import { heartbeatProcess } from '@/lib/runs/processes'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { type NotifiedConsole, startNotifiedConsole } from './notified-console'

let world: NotifiedConsole
let console: NotifiedConsole['database']
let hook: NotifiedConsole['hook']
let clock: NotifiedConsole['clock']
let ctx: Context
beforeAll(async () => {
  world = await startNotifiedConsole('2026-03-01T12:00:00Z')
  ;({ database: console, hook, clock } = world)
  ctx = world.as('admin')
  await ensurePartitions(console.db, clock)
  await world.receive({ paging: true })
})
afterAll(() => world.close())

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
