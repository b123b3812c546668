import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StaleHolderError } from '@/sdk/errors'
import { guardLease } from '@/sdk/run/lease-guard'
import { createServerClock } from '@/sdk/stores/dynamodb/server-clock'
import { acquireRequest, createManualClock, holderOf, okResponse } from '../support'
import { ageLease, createDynamoFixture, type DynamoFixture } from './fixture'

const START = Date.parse('2026-11-30T12:00:00Z')
const dateOf = (atMs: number) => new Date(Math.floor(atMs / 1000) * 1000).toUTCString()

describe('DynamoDB’s clock', () => {
  /** A process whose own clock began at 0 when DynamoDB's showed `START`. */
  function open() {
    const time = createManualClock()
    const server = createServerClock(time.clock)
    const reply = (roundTripMs: number, stampedAfterMs: number) => {
      const sentMs = time.clock.nowMs()
      const date = dateOf(START + sentMs + stampedAfterMs)
      time.advance(roundTripMs)
      server.observe(date, sentMs)
    }
    const offByMs = () => Math.abs(server.nowMs() - (START + time.clock.nowMs()))
    return { time, server, reply, offByMs }
  }

  it('is not known before the first reply, and is an error that says why', () => {
    const { server } = open()
    expect(() => server.nowMs()).toThrow('Date header')
    server.observe(undefined, 0)
    server.observe('not a date', 0)
    expect(() => server.nowMs()).toThrow('Date header')
  })

  it('is known to half a second from one reply, and to some milliseconds from many', () => {
    const { time, reply, offByMs } = open()
    reply(10, 5)
    expect(offByMs()).toBeLessThanOrEqual(506)
    for (let turn = 0; turn < 200; turn += 1) {
      time.advance(137)
      reply(10, turn % 10)
      expect(offByMs()).toBeLessThanOrEqual(506)
    }
    expect(offByMs()).toBeLessThan(60)
  })

  it('gives stamps in order while its estimate steps back, and follows when it is set back', () => {
    const { time, server } = open()
    server.observe(dateOf(START), 0)
    const first = server.nextMicros()
    expect(server.nextMicros()).toBe(first + 1n)
    time.advance(100)
    // Sent and answered at once: it is not later than the end of this second, 900 ms before what was thought possible.
    server.observe(dateOf(START - 1_000), time.clock.nowMs() - 100)
    expect(BigInt(Math.floor(server.nowMs() * 1_000))).toBeLessThan(first)
    expect(server.nextMicros()).toBe(first + 2n)
    server.observe(dateOf(START - 60_000), time.clock.nowMs())
    expect(server.nextMicros()).toBeLessThan(first - 50_000_000n)
  })

  it('follows when it is set, or when this process was stopped together with its own clock', () => {
    const time = createManualClock()
    const server = createServerClock(time.clock)
    server.observe(dateOf(START), 0)
    time.advance(1_000)
    server.observe(dateOf(START + 600_000), time.clock.nowMs())
    expect(Math.abs(server.nowMs() - START - 600_000)).toBeLessThanOrEqual(1_000)
  })
})

describe('a lease', () => {
  let fixture: DynamoFixture
  beforeAll(async () => {
    fixture = await createDynamoFixture()
  })
  afterAll(() => fixture.close())

  it.each([
    [1_000, 'in_progress'],
    [4_000, 'takeover'],
  ])('that ended %i ms ago is %s: clocks may be 2 s apart', async (agoMs, kind) => {
    const request = acquireRequest(`ended-${agoMs}`)
    await fixture.store.acquire(request)
    await ageLease(fixture, request, request.leaseMs + agoMs)
    expect((await fixture.store.acquire(request)).kind).toBe(kind)
  })

  it.each([-600_000, -5_000, 0, 5_000, 600_000])(
    'written by a clock that is %i ms off is one record, and fences rise',
    async (dateSkewMs) => {
      const line = await fixture.emulator.openLine({ dateSkewMs })
      const skewed = fixture.openStore({ client: line.client })
      const request = acquireRequest(`skewed-${dateSkewMs}`)
      const first = holderOf(request, await skewed.acquire(request))
      await skewed.giveBack(first)
      const second = holderOf(request, await fixture.store.acquire(request))
      expect(second.fence).toBeGreaterThan(first.fence)
      const seen = await skewed.acquire(request)
      // Ahead by more than the lease and the margin, it takes a live lease for dead: a second execution.
      expect(seen.kind).toBe(dateSkewMs === 600_000 ? 'takeover' : 'in_progress')
      if (seen.kind === 'takeover') {
        expect(seen.fence).toBeGreaterThan(second.fence)
        expect(await fixture.store.complete(second, okResponse())).toBe('stale')
        expect(await skewed.complete({ ...second, fence: seen.fence }, okResponse())).not.toBe('stale')
      } else expect(await fixture.store.complete(second, okResponse())).not.toBe('stale')
      for (const store of [skewed, fixture.store]) {
        const again = await store.acquire(request)
        // A record that its clock has not reached yet is replayed as well.
        expect(again.kind).toBe('replay')
      }
    },
  )
})

describe('a holder whose lease cannot be prolonged', () => {
  const LEASE = { leaseMs: 10_000, heartbeatMs: 3_000 }
  const open = (beat: () => Promise<boolean>, stopping?: { leftMs: number; marginMs: number }) => {
    const time = createManualClock()
    const lease = { ...LEASE, beat, stopping }
    const guard = guardLease({ clock: time.clock, executionDeadlineMs: 60_000, lease })
    /** Beats are answered between two moves of the clock. */
    const advance = async (byMs: number) => {
      for (let passed = 0; passed < byMs; passed += 500) {
        time.advance(500)
        await new Promise(setImmediate)
      }
    }
    return { guard, advance }
  }
  const silent = () => Promise.reject(new Error('not reached'))

  it('stops 2 s before its end by its own clock, so that no two work at once', async () => {
    const { guard, advance } = open(silent, { leftMs: 10_000, marginMs: 2_000 })
    await advance(7_500)
    guard.check()
    await advance(500)
    expect(() => guard.check()).toThrow(StaleHolderError)
    expect(guard.signal.aborted).toBe(true)
    guard.stop()
  })

  it('counts from what was left of the lease when its acquire was answered', async () => {
    const { guard, advance } = open(silent, { leftMs: 6_000, marginMs: 2_000 })
    await advance(4_500)
    expect(() => guard.check()).toThrow(StaleHolderError)
    guard.stop()
  })

  it('goes on for as long as it is prolonged', async () => {
    const { guard, advance } = open(async () => true, { leftMs: 10_000, marginMs: 2_000 })
    await advance(40_000)
    guard.check()
    guard.stop()
  })

  it('goes on where the engine compares leases: the fence will tell', async () => {
    const { guard, advance } = open(silent)
    await advance(40_000)
    guard.check()
    guard.stop()
  })
})
