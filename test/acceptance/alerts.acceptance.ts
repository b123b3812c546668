import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FaultName, faultNames, messageFaultNames } from '@/demo/traffic/faults/registry'
import { manualClock } from '@/lib/core/clock'
import type { ConditionKind } from '@/lib/core/condition-kinds'
import { startWebhook } from '../alerts/webhook'
import { setSettings, TELLING_HERE } from '../support/settings'
import { letTimePass, mendAll, prepareConsole, startPagedDemo, toldOf } from './paged-demo'
import { untilFound } from './verdicts'

/**
 * What a receiver is told of each fault of the demo alone, when, and that it is over; and that half an hour of calm traffic
 * tells nothing: `FAULTS=all npx vitest run --config vitest.acceptance.config.ts alerts`, or some of them by name. Traffic,
 * faults, processes and notifications are real. What only takes time (a key that is stuck for ten minutes, a window that
 * passes) is evaluated by a clock that runs ahead.
 */
const { FAULTS, CALM_MINUTES } = process.env
const all = [...faultNames, ...messageFaultNames]
const asked = FAULTS === 'all' ? all : all.filter((name) => FAULTS?.split(',').includes(name))

setSettings(TELLING_HERE)

/** What is right to be told of each. */
const TOLD: Record<FaultName, readonly ConditionKind[]> = {
  response_lost: [],
  killed_before_effect: ['intent_latency'],
  // What the stopped process had asked of the store had timed out by the time it went on.
  stopped_and_taken_over: ['intent_latency', 'store_errors'],
  stopped_on_legacy_route: ['duplicate_effects', 'intent_latency', 'p1_cases', 'store_errors'],
  second_purchase: [],
  killed_after_answer: ['stuck_keys', 'orphaned_effects', 'p1_cases'],
  hung_before_effect: [],
  new_key_same_reference: ['suspected_duplicates'],
  expired_key_retry: ['expired_key_retries', 'duplicate_effects', 'p1_cases'],
  key_reused: ['key_reuse'],
  // The process that ran without the store is killed before it exports that it did.
  store_bypassed: ['orphaned_effects', 'p1_cases'],
  ledger_lost: ['p1_cases'],
  wrong_amount_booked: ['p1_cases'],
  failed_after_posting: ['p1_cases'],
  refund_not_booked: ['p1_cases'],
  refund_failed: ['p1_cases'],
  relay_killed: ['redeliveries'],
  consumer_killed_before_effect: ['dead_messages', 'redeliveries'],
  consumer_killed_after_effect: ['dead_messages', 'orphaned_effects', 'p1_cases', 'redeliveries'],
  mail_answer_lost: ['dead_messages', 'p1_cases'],
  poison_message: ['dead_messages', 'redeliveries'],
  redelivered_after_expiry: ['duplicate_effects', 'expired_key_retries', 'redeliveries'],
  out_of_order_commit: [],
}

/** Told of what stands still while the test's clock runs ahead: heartbeats, readings, telemetry. */
const STANDS_STILL: readonly ConditionKind[] = [
  'worker_dead',
  'receiver_dead',
  'store_down',
  'stale_source',
  'stale_telemetry',
  'queue_stuck',
  'roll_up_late',
  'audit_unsealed',
  'partitions_late',
  'collection_late',
]

let hook: Awaited<ReturnType<typeof startWebhook>>
let prepared: string | undefined
beforeAll(async () => {
  hook = await startWebhook()
  prepared = await prepareConsole(hook.url)
})
afterAll(async () => {
  await hook?.close()
  if (prepared !== undefined) rmSync(prepared, { recursive: true, force: true })
})

describe.skipIf(asked.length === 0)('one kind of fault alone', () => {
  test.each(asked)('%s', async (fault) => {
    hook.received.length = 0
    const told = (event: string) =>
      toldOf(hook.received, event).filter((kind) => !(STANDS_STILL as readonly string[]).includes(kind))
    const paged = await startPagedDemo(prepared ?? '', {
      seed: '5',
      durationS: 60,
      rate: 2,
      faultRate: 0.25,
      fault,
    })
    let real = new Set<string>()
    try {
      await untilFound(paged.demo, paged.viewer)
      real = new Set(told('raised'))
      const clock = manualClock(new Date())
      const wanted = TOLD[fault]
      const isTold = () => wanted.every((kind) => told('raised').includes(kind))
      await letTimePass(paged, clock, { minutesMin: 20, minutesMax: 75, isEnough: isTold })
      await mendAll(paged)
      const isOver = () => told('raised').every((kind) => told('cleared').includes(kind))
      await letTimePass(paged, clock, { minutesMax: 24 * 60, isEnough: isOver })
      expect([...new Set(told('raised'))].toSorted()).toEqual(wanted.toSorted())
      expect([...new Set(told('cleared'))].toSorted()).toEqual(wanted.toSorted())
    } catch (error) {
      console.log(paged.demo.output().slice(-8_000))
      throw error
    } finally {
      report(fault, paged.demo.truth()[0]?.at ?? '', real)
      await paged.stop()
    }
  })
})

function report(fault: string, at: string, real: Set<string>): void {
  const minutes = (to: string) => ((Date.parse(to) - Date.parse(at)) / 60_000).toFixed(1)
  for (const { body } of hook.received) {
    if ((STANDS_STILL as readonly string[]).includes(body.alert?.kind)) continue
    // What was raised in real time is the first of its kind.
    const clock = body.event === 'raised' && real.delete(body.alert.kind) ? 'real' : 'ahead'
    console.log(
      `| ${fault} | ${body.event} | ${body.severity} | ${body.alert.kind} | ${minutes(body.sentAt)} ${clock} | ${body.title}: ${body.text} |`,
    )
  }
}

describe.skipIf(CALM_MINUTES === undefined)('calm traffic', () => {
  test('tells nobody anything', async () => {
    hook.received.length = 0
    const durationS = Number(CALM_MINUTES) * 60
    const paged = await startPagedDemo(prepared ?? '', { seed: '5', durationS, rate: 4, faultRate: 0 })
    try {
      await new Promise((done) => setTimeout(done, durationS * 1000))
      expect(hook.received.map(({ body }) => `${body.event} ${body.title}: ${body.text}`)).toEqual([])
      expect(await paged.viewer.all('alerts')).toEqual([])
    } finally {
      await paged.stop()
    }
  }, 7_200_000)
})
