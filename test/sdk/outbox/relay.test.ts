import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest'
import type { HorizonHolder, Relay } from '@/sdk/outbox'
import { createGate, createManualClock } from '../support'
import {
  createOutboxFixture,
  createRecorder,
  drain,
  message,
  type OutboxFixture,
  relayOn,
  work,
} from './fixture'

let fixture: OutboxFixture
/** What failed is not due before the test says so. */
const LATE = { backoffBaseMs: 3_600_000, backoffMaxMs: 3_600_000, random: () => 0.5 }
const started: Relay[] = []
beforeAll(async () => {
  fixture = await createOutboxFixture()
})
beforeEach(async () => {
  await fixture.pool.query('DELETE FROM idem_outbox')
  await fixture.pool.query("UPDATE idem_outbox_lane SET lease_until = '-infinity'")
})
afterEach(async () => {
  for (const end of open) await end()
  for (const relay of started.splice(0)) await relay.stop()
})
afterAll(() => fixture.close())

const rows = async (columns: string) =>
  (await fixture.pool.query(`SELECT ${columns} FROM idem_outbox ORDER BY seq`)).rows

/** An open transaction that has written, as a request under way; it ends with its test. */
async function openTransaction() {
  const client = await fixture.pool.connect()
  await client.query('BEGIN')
  await client.query('SELECT pg_current_xact_id()')
  async function end(how: 'COMMIT' | 'ROLLBACK' = 'ROLLBACK') {
    if (!open.delete(end)) return
    await client.query(how)
    client.release()
  }
  open.add(end)
  return { client, commit: () => end('COMMIT'), rollBack: end }
}
const open = new Set<() => Promise<void>>()

describe('order', () => {
  test('messages of a key are published in the order of publishing, in batches of any size', async () => {
    for (const keepsOrder of [true, false]) {
      await fixture.publish(
        ...Array.from({ length: 20 }, (_, n) => message(`m${n}`, n % 2 === 0 ? 'a' : 'b')),
      )
      const { state, publisher } = createRecorder({ keepsOrder })
      await drain(relayOn(fixture, publisher, { batch: 7 }))
      for (const key of ['a', 'b']) {
        const types = state.published
          .filter((each) => each.key === key)
          .map(({ type }) => Number(type.slice(1)))
        expect(types).toEqual(types.toSorted((x, y) => x - y))
        expect(types).toHaveLength(10)
      }
    }
  })

  test('two messages of one key are never in one batch of a publisher that cannot keep their order', async () => {
    await fixture.publish(
      message('a1', 'a'),
      message('a2', 'a'),
      message('b1', 'b'),
      message('none1'),
      message('none2'),
    )
    const { state, publisher } = createRecorder()
    await drain(relayOn(fixture, publisher, { lanesMax: 32, batch: 320 }))
    expect(state.batches).toEqual([4, 1])
  })

  test('a row lock of the service decides the order, not which transaction began first', async () => {
    await fixture.pool.query('CREATE TABLE IF NOT EXISTS seat (id int PRIMARY KEY, version int)')
    await fixture.pool.query('INSERT INTO seat VALUES (1, 0) ON CONFLICT DO NOTHING')
    const [first, second] = [await openTransaction(), await openTransaction()]
    const change = 'UPDATE seat SET version = version + 1 WHERE id = 1'
    await second.client.query(change)
    const waiting = first.client.query(change)
    await fixture.outbox.publish(second.client, message('by-the-younger', 'seat-1'))
    await second.commit()
    await waiting
    await fixture.outbox.publish(first.client, message('by-the-older', 'seat-1'))
    await first.commit()
    const { publisher, types } = createRecorder()
    await drain(relayOn(fixture, publisher))
    expect(types()).toEqual(['by-the-younger', 'by-the-older'])
  })
})

describe('the horizon', () => {
  test('what commits late is not skipped: younger messages wait for it', async () => {
    const late = await openTransaction()
    await fixture.outbox.publish(late.client, message('late', 'k'))
    await fixture.publish(message('early', 'k'))
    const { publisher, types } = createRecorder()
    const relay = relayOn(fixture, publisher)
    expect((await relay.runOnce()).kind).toBe('held_back')
    expect(types()).toEqual([])
    await late.commit()
    await drain(relay)
    expect(types()).toEqual(['late', 'early'])
  })

  test('nor is the first message of all passed over by a relay that was there before it', async () => {
    const fresh = await createOutboxFixture(2)
    const { clock, skip } = createManualClock()
    const { publisher, types } = createRecorder()
    const relay = relayOn(fresh, publisher, { clock })
    for (let looks = 0; looks < 4; looks += 1) {
      skip(1_000)
      // Transactions of other tests, on the same server, may be open meanwhile.
      await relay.runOnce()
    }
    await fresh.publish(message('first'))
    skip(1_000)
    await vi.waitFor(async () => {
      await drain(relay)
      expect(types()).toEqual(['first'])
    })
    await fresh.close()
  })

  test('nor is it passed over by a relay that looks again and again while nothing else is committed', async () => {
    const { clock, skip } = createManualClock()
    const { publisher, types } = createRecorder()
    const relay = relayOn(fixture, publisher, { clock })
    await drain(relay)
    const late = await openTransaction()
    await fixture.outbox.publish(late.client, message('late', 'late'))
    for (let looks = 0; looks < 4; looks += 1) {
      skip(1_000)
      await relay.runOnce()
    }
    await late.commit()
    skip(1_000)
    await drain(relay)
    expect(types()).toEqual(['late'])
  })

  test('a transaction that rolls back or only reads holds nothing back', async () => {
    const reader = await fixture.pool.connect()
    onTestFinished(() => reader.release(true))
    await reader.query('BEGIN')
    await reader.query('SELECT * FROM idem_outbox')
    const aborted = await openTransaction()
    await fixture.outbox.publish(aborted.client, message('aborted'))
    await fixture.publish(message('committed'))
    await aborted.rollBack()
    const { publisher, types } = createRecorder()
    await drain(relayOn(fixture, publisher))
    expect(types()).toEqual(['committed'])
  })

  test('who holds it back is told, with process, transaction and since when, and that it has ended', async () => {
    const told: (HorizonHolder | null)[] = []
    const { clock, skip } = createManualClock()
    const { publisher } = createRecorder()
    const relay = relayOn(fixture, publisher, { clock, onHeldBack: (holder) => told.push(holder) })
    const holder = await openTransaction()
    await fixture.publish(message('waits'))
    await relay.runOnce()
    expect(told).toEqual([])
    const { rows } = await holder.client.query(
      'SELECT pg_backend_pid() AS pid, pg_current_xact_id()::text AS xid',
    )
    // An older transaction of another test, on the same server, may hold it back for a while.
    await vi.waitFor(async () => {
      skip(10_000)
      await relay.runOnce()
      expect(told.at(-1)).toMatchObject(rows[0])
    })
    expect(told.at(-1)).toMatchObject({ since: expect.any(Date), userName: 'postgres', prepared: null })
    await relay.runOnce()
    const before = told.length
    await holder.commit()
    await drain(relay)
    expect(told.slice(before).at(-1)).toBeNull()
  })
})

describe('a message that fails', () => {
  test('holds back its own key only, and its key goes on in order afterwards', async () => {
    const { state, publisher, types } = createRecorder()
    state.refuses = ({ type }) => (type === 'a1' ? 'no such route' : null)
    await fixture.publish(
      message('a1', 'a'),
      message('a2', 'a'),
      message('b1', 'b'),
      message('a1-elsewhere', 'a', 'mails'),
    )
    const relay = relayOn(fixture, publisher, { batch: 3, lanesMax: 1, ...LATE })
    await drain(relay)
    await fixture.publish(message('a3', 'a'), message('b2', 'b'), message('a4', 'a'))
    await drain(relay)
    expect(types().toSorted()).toEqual(['a1-elsewhere', 'b1', 'b2'])
    expect(await fixture.states()).toMatchObject({ a1: 'R', a2: 'W', a3: 'W', a4: 'W' })
    state.refuses = () => null
    await fixture.makeDue()
    await drain(relay)
    expect(types().slice(3)).toEqual(['a1', 'a2', 'a3', 'a4'])
  })

  test.each([1, 2, 500])(
    'a long tail behind it is read once and goes on in order, %i at a time',
    async (batch) => {
      const { state, publisher, types } = createRecorder({ keepsOrder: true })
      state.refuses = ({ type, attempt }) => (type === 'm0' && attempt === 1 ? 'not yet' : null)
      await fixture.publish(...Array.from({ length: 30 }, (_, n) => message(`m${n}`, 'hot')))
      const relay = relayOn(fixture, publisher, { batch, lanesMax: 1, ...LATE })
      await drain(relay)
      expect(Object.values(await fixture.states()).filter((state) => state === 'W')).toHaveLength(29)
      expect((await work(relay)).kind).toBe('idle')
      await fixture.makeDue()
      await drain(relay)
      expect(types()).toEqual(Array.from({ length: 30 }, (_, n) => `m${n}`))
    },
  )

  test('waits longer each time, with jitter, and is dead after its attempts, the error kept', async () => {
    const { state, publisher, types } = createRecorder()
    state.refuses = ({ type }) => (type === 'poison' ? 'cannot be parsed \0' : null)
    await fixture.publish(message('poison', 'k'), message('behind', 'k'))
    const relay = relayOn(fixture, publisher, {
      attemptsMax: 3,
      backoffBaseMs: 10_000,
      random: () => 0.999_999,
    })
    const waits: number[] = []
    for (let attempt = 1; attempt <= 3; attempt++) {
      await drain(relay)
      const [row] = await rows('extract(epoch FROM retry_at - clock_timestamp()) AS wait_s, state, attempts')
      expect(row.attempts).toBe(attempt)
      if (row.state === 'R') waits.push(Math.round(Number(row.wait_s)))
      await fixture.makeDue()
    }
    expect(waits).toEqual([10, 20])
    expect((await rows('state, error, settled_at'))[0]).toEqual({
      state: 'D',
      error: 'cannot be parsed ',
      settled_at: expect.any(Date),
    })
    expect(types()).toEqual(['behind'])
  })

  test('that never can be published is dead at once', async () => {
    const { publisher } = createRecorder()
    await fixture.publish(message('gone', 'k'))
    const gone = async () => [{ kind: 'refused' as const, error: '410 Gone', permanent: true }]
    expect(await work(relayOn(fixture, { ...publisher, publish: gone }))).toMatchObject({
      dead: 1,
      retried: 0,
    })
  })

  test('that makes the publisher throw does not stop the others', async () => {
    const { state, publisher, types } = createRecorder({ keepsOrder: true })
    state.before = async (messages) => {
      if (messages.some(({ type }) => type === 'bomb')) throw new TypeError('cannot read it')
    }
    await fixture.publish(
      message('a1', 'a'),
      message('bomb', 'b'),
      message('b2', 'b'),
      message('c1', 'c'),
      message('d1', 'd'),
    )
    const relay = relayOn(fixture, publisher, { lanesMax: 32, batch: 320 })
    expect(await work(relay)).toMatchObject({ sent: 3, retried: 1, unavailable: null })
    expect(types().toSorted()).toEqual(['a1', 'c1', 'd1'])
    expect((await fixture.states()).bomb).toBe('R')
  })
})

describe('a broker that is down', () => {
  test('costs no message an attempt, whatever its length, and all are published in order afterwards', async () => {
    const { state, publisher, types } = createRecorder({ keepsOrder: true })
    state.down = new Error('connection refused')
    await fixture.publish(...Array.from({ length: 10 }, (_, n) => message(`m${n}`, n < 5 ? 'a' : 'b')))
    const relay = relayOn(fixture, publisher, { lanesMax: 32, batch: 320 })
    for (let n = 0; n < 20; n++) expect((await work(relay)).unavailable).toBe(state.down)
    expect(await rows('DISTINCT state, attempts, seq > 0 AS seq')).toEqual([
      { state: 'P', attempts: 0, seq: true },
    ])
    state.down = null
    await drain(relay)
    expect(types().toSorted()).toEqual(Array.from({ length: 10 }, (_, n) => `m${n}`))
  })

  test('that does not answer is given up after publishTimeoutMs, and the message is published again', async () => {
    const { clock, advance } = createManualClock()
    const { state, publisher, types } = createRecorder()
    const asked = createGate()
    state.before = () => {
      asked.resolve()
      return new Promise(() => {})
    }
    await fixture.publish(message('m', 'k'))
    const relay = relayOn(fixture, publisher, { clock, publishTimeoutMs: 1_000 })
    const round = work(relay)
    await asked.promise
    advance(1_000)
    expect((await round).unavailable).toMatchObject({ message: 'the broker did not answer within 1000 ms' })
    state.before = async () => {}
    await drain(relay)
    expect(types()).toEqual(['m'])
  })
})

describe('several relays', () => {
  test('a relay that was paused beyond its lease marks nothing when it comes back', async () => {
    const paused = createRecorder()
    const gate = createGate()
    const asked = createGate()
    paused.state.before = () => {
      asked.resolve()
      return gate.promise
    }
    await fixture.publish(message('m1', 'k'), message('m2', 'k'))
    const round = work(relayOn(fixture, paused.publisher, { owner: 'paused' }))
    await asked.promise
    const other = createRecorder()
    const relay = relayOn(fixture, other.publisher, { owner: 'other' })
    expect((await work(relay)).kind).toBe('idle')
    await fixture.pool.query(
      "UPDATE idem_outbox_lane SET lease_until = clock_timestamp() WHERE owner = 'paused'",
    )
    other.state.refuses = ({ type }) => (type === 'm1' ? 'refused' : null)
    expect(await work(relay)).toMatchObject({ retried: 1, sent: 0 })
    gate.resolve()
    expect(await round).toMatchObject({ sent: 2, stale: 2 })
    expect(await fixture.states()).toEqual({ m1: 'R', m2: 'P' })
    other.state.refuses = () => null
    await fixture.makeDue()
    await drain(relay)
    expect(other.types()).toEqual(['m1', 'm2'])
  })

  test('of many at once each message is published by one, each key in order', async () => {
    const total = 400
    await fixture.publish(...Array.from({ length: total }, (_, n) => message(`m${n}`, `k${n % 23}`)))
    const { state, publisher } = createRecorder({ keepsOrder: true })
    state.before = () => new Promise((resolve) => setImmediate(resolve))
    const relays = Array.from({ length: 4 }, (_, n) =>
      relayOn(fixture, publisher, { batch: 16, owner: `relay-${n}` }),
    )
    while (state.published.length < total) await Promise.all(relays.map((relay) => relay.runOnce()))
    expect(new Set(state.published.map(({ id }) => id)).size).toBe(total)
    expect(state.published).toHaveLength(total)
    for (let key = 0; key < 23; key++) {
      const numbers = state.published
        .filter((each) => each.key === `k${key}`)
        .map(({ type }) => Number(type.slice(1)))
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
  })
})

describe('a relay that runs', () => {
  test('sleeps, is woken by a publication, and says that it lives', async () => {
    const { clock, advance, timers } = manualClockWithTimers()
    const { publisher, types } = createRecorder()
    const relay = relayOn(fixture, publisher, { clock, listen: true, owner: 'sleeper', pollMs: 3_600_000 })
    started.push(relay)
    relay.start()
    const asleep = async () => {
      const { rows } = await fixture.pool.query(
        "SELECT asleep FROM idem_outbox_relay WHERE owner = 'sleeper'",
      )
      if (rows[0]?.asleep !== true) advance(500)
      return rows[0]?.asleep
    }
    await vi.waitFor(async () => expect(await asleep()).toBe(true), { timeout: 60_000 })
    // It waits for an hour from here on.
    await vi.waitFor(() => expect(timers()).toBe(1))
    await fixture.publish(message('wakes'))
    const sent = () => {
      // Others' open transactions may hold it back at first: it looks again every 10 ms of its clock.
      if (types().length === 0) advance(1)
      expect(types()).toEqual(['wakes'])
    }
    await vi.waitFor(sent, { timeout: 60_000 })
    await relay.stop()
    expect((await fixture.pool.query("SELECT FROM idem_outbox_relay WHERE owner = 'sleeper'")).rowCount).toBe(
      0,
    )
  })

  test('goes on by polling where nobody can wake it, and after its database was away', async () => {
    const errors: unknown[] = []
    const { publisher, types } = createRecorder()
    const relay = relayOn(fixture, publisher, { pollMs: 5, onError: (error) => errors.push(error) })
    started.push(relay)
    await fixture.pool.query('ALTER FUNCTION idem_outbox_from() RENAME TO away')
    relay.start()
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0), { timeout: 60_000 })
    await fixture.pool.query('ALTER FUNCTION away() RENAME TO idem_outbox_from')
    await fixture.publish(message('polled'))
    await vi.waitFor(() => expect(types()).toEqual(['polled']), { timeout: 60_000 })
  })
})

describe('retention', () => {
  test('drops a day whose messages are all sent, and keeps one with a dead or unsent message', async () => {
    const days = ['20250101', '20250102', '20250103']
    for (const day of days)
      await fixture.pool.query(
        `CREATE TABLE idem_outbox_${day} PARTITION OF idem_outbox FOR VALUES
         FROM ('${await idAt(day)}') TO ('${await idAt(day, 1)}')`,
      )
    for (const [day, state] of [
      ['20250101', 'S'],
      ['20250102', 'D'],
      ['20250103', 'P'],
    ] as const)
      await fixture.pool.query(
        `INSERT INTO idem_outbox (id, lane, topic, type, headers, payload, state)
         VALUES ('${await idAt(day)}', 0, 't', '${state}', '{}', '', '${state}')`,
      )
    const { clock, skip } = createManualClock()
    const { publisher, types } = createRecorder()
    const relay = relayOn(fixture, publisher, { clock })
    await drain(relay)
    expect(types()).toEqual(['P'])
    skip(60_000)
    await drain(relay)
    const { rows } = await fixture.pool.query(
      "SELECT partition::text FROM idem_outbox_partitions() WHERE ends_at < '2025-02-01'",
    )
    expect(rows).toEqual([{ partition: 'idem_outbox_20250102' }])
  })
})

const idAt = async (day: string, plusDays = 0): Promise<string> =>
  (
    await fixture.pool.query(
      `SELECT idem_outbox_id_at(('${day} UTC')::timestamptz + $1 * interval '24 hours') AS id`,
      [plusDays],
    )
  ).rows[0].id

function manualClockWithTimers() {
  const { clock, advance } = createManualClock()
  let open = 0
  return {
    clock: {
      nowMs: clock.nowMs,
      after(delayMs: number, call: () => void) {
        open += 1
        let over = false
        const end = () => {
          if (!over) open -= 1
          over = true
        }
        const cancel = clock.after(delayMs, () => {
          end()
          call()
        })
        return () => {
          end()
          cancel()
        }
      },
    },
    advance,
    timers: () => open,
  }
}
