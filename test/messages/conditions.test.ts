import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { messageFamilies } from '@/app/_server/metrics/messages'
import { evaluateConditions } from '@/lib/alerts/evaluate/evaluate'
import { verdictSentence } from '@/lib/alerts/now/verdict-sentence'
import { figuresOf } from '@/lib/alerts/show-alert'
import { readConditions } from '@/lib/conditions/read-conditions'
import { checkMessages } from '@/lib/messages/check-messages'
import { readMessageSources } from '@/lib/messages/read/overview'
import { stageSystem } from '@/lib/reconcile/stage/stage'
import { saveSource } from '@/lib/sources/save'
import {
  applyMessage,
  CREDENTIALS_KEY,
  createMessagesFixture,
  type MessagesFixture,
} from './messages-fixture'

const DAY_MS = 86_400_000
const OURS: readonly string[] = [
  'consumer_retention',
  'dead_messages',
  'outbox_late',
  'publishing_held_back',
  'relay_dead',
]
const BILLING = { group: 'billing', topic: 'orders', store: 'store' }

let fixture: MessagesFixture
beforeAll(async () => {
  fixture = await createMessagesFixture()
})
afterAll(() => fixture.close())
beforeEach(async () => {
  await fixture.service.query('DELETE FROM idem_outbox; DELETE FROM idem_outbox_relay')
  await fixture.console.db.pool.query(
    'TRUNCATE condition, alert_episode, messages.source_check, mirror.object CASCADE',
  )
})

/** Looks, evaluates, and reads what holds of messages. */
async function holding() {
  await checkMessages(fixture.system)
  await evaluateConditions(fixture.system)
  const all = await readConditions(fixture.console.db)
  return all.filter(({ kind }) => OURS.includes(kind))
}

const configure = (consumers: object[]) =>
  saveSource(
    fixture.system,
    {
      ...{ adapter: 'outbox', name: 'outbox', system: 'payments' },
      ...{ config: { consumers }, secret: { url: fixture.url } },
    },
    { credentialsKey: CREDENTIALS_KEY, demo: true },
  )
const setTtl = (ms: number) =>
  fixture.service.query('UPDATE idem_tier SET ttl_ms = $1::bigint, partition_ms = $1::bigint / 2', [ms])

test('nothing fires of an empty outbox whose consumers name no time', async () => {
  await configure([BILLING])
  expect(await holding()).toEqual([])
})

test('a consumer whose records end before a redelivery fires, stays while its store is down, and clears', async () => {
  const { rows } = await fixture.service.query<{ ms: string }>('SELECT min(ttl_ms) AS ms FROM idem_tier')
  const keptMs = Number(rows[0]?.ms)
  await configure([
    { ...BILLING, redeliveryHorizonMs: 2 * keptMs },
    { ...BILLING, group: 'mail' },
  ])
  const expected = {
    kind: 'consumer_retention',
    subject: fixture.outboxId,
    severity: 'ticket',
    detail: {
      name: 'outbox',
      group: 'billing',
      topic: 'orders',
      keptMs,
      horizonMs: 2 * keptMs,
      consumers: 1,
    },
  }
  const [found] = await holding()
  expect(found).toMatchObject(expected)
  if (found === undefined) throw new Error('it does not fire')
  await fixture.service.query('ALTER TABLE idem_tier RENAME TO idem_tier_away')
  expect(await holding()).toMatchObject([expected])
  await fixture.service.query('ALTER TABLE idem_tier_away RENAME TO idem_tier')
  await configure([{ ...BILLING, redeliveryHorizonMs: keptMs }])
  expect(await holding()).toEqual([])
})

test('its own keys say it before the shortest tier of its store does', async () => {
  await setTtl(4 * DAY_MS)
  await configure([{ ...BILLING, redeliveryHorizonMs: 4 * DAY_MS }])
  await applyMessage(fixture, 'm1')
  await stageSystem(fixture.system, 'payments')
  await setTtl(60_000)
  expect(await holding()).toEqual([])
  await setTtl(4 * DAY_MS)
})

test('it is told in words', () => {
  const detail = {
    name: 'orders',
    group: 'billing',
    topic: 'orders',
    keptMs: DAY_MS,
    horizonMs: 4 * DAY_MS,
    consumers: 3,
  }
  const text =
    'billing keeps records of orders for 1 d, and a message may come again for 4 d (and 2 more consumers)'
  expect(figuresOf({ kind: 'consumer_retention', detail })).toBe(text)
})

/** Messages that wait, published so long ago by a transaction of their own. */
const waiting = (count: number, age: string) =>
  fixture.service.query(
    `INSERT INTO idem_outbox (id, created_at, lane, topic, key, type, headers, payload)
     SELECT gen_random_uuid(), clock_timestamp() - $2::interval, idem_outbox_lane_of('orders', 'k' || n), 'orders', 'k' || n,
       'order.placed', '{}', '{}' FROM generate_series(1, $1::int) n`,
    [count, age],
  )
const relaySeen = (ago: string) =>
  fixture.service.query(
    `INSERT INTO idem_outbox_relay (owner, seen_at) VALUES ('relay-1', clock_timestamp() - $1::interval)
     ON CONFLICT (owner) DO UPDATE SET seen_at = excluded.seen_at`,
    [ago],
  )

/** The console's clock, so much later than the service's: nobody waits for two minutes. */
async function holdingAfter(ms: number) {
  await checkMessages(fixture.system)
  const clock = { now: () => new Date(Date.now() + ms) }
  await evaluateConditions({ ...fixture.system, clock })
  const all = await readConditions(fixture.console.db)
  return all.filter(({ kind }) => OURS.includes(kind))
}
const MINUTE_MS = 60_000
const kindsAfter = async (ms: number) => (await holdingAfter(ms)).map(({ kind }) => kind).toSorted()
/** Transactions of other tests hold back too, on the same server: they end. */
const OTHERS = { timeout: 20_000 }

test('what an open transaction holds back is told as that, not as late nor as a dead relay, and clears with it', async () => {
  await relaySeen('1 second')
  const holder = await fixture.service.connect()
  try {
    await holder.query('BEGIN')
    await holder.query("SET LOCAL application_name = 'nightly import'")
    await holder.query('SELECT pg_current_xact_id()')
    await waiting(3, '0 seconds')
    expect(await holdingAfter(MINUTE_MS)).toEqual([])
    // Past both limits, with a relay that lives.
    await expect
      .poll(() => holdingAfter(11 * MINUTE_MS), OTHERS)
      .toMatchObject([
        {
          kind: 'publishing_held_back',
          subject: fixture.outboxId,
          severity: 'page',
          detail: { name: 'outbox', unsent: 3, heldBy: expect.stringContaining('nightly import') },
        },
      ])
    const now = new Date(Date.now() + MINUTE_MS)
    const families = messageFamilies(await readMessageSources(fixture.system), now)
    const figure = (name: string) => families.find((each) => each.name === name)?.samples
    const labels = { source: 'outbox', topic: 'orders' }
    expect(figure('idemscope_messages_unsent')).toEqual([{ labels, value: 3 }])
    expect(figure('idemscope_messages_dead')).toEqual([{ labels, value: 0 }])
    expect(figure('idemscope_messages_held_back')).toEqual([{ labels: { source: 'outbox' }, value: 3 }])
    expect(figure('idemscope_messages_oldest_unsent_seconds')?.[0]?.value).toBeGreaterThan(59)
    const found = (await readConditions(fixture.console.db)).find(
      ({ kind }) => kind === 'publishing_held_back',
    )
    if (found === undefined) throw new Error('it does not fire')
    expect(figuresOf(found)).toMatch(
      /^3 held back for 11 min by nightly import of \w+ in \w+ \(process \d+\)$/,
    )
  } finally {
    await holder.query('ROLLBACK')
    holder.release()
  }
  await relaySeen('1 second')
  await expect.poll(() => kindsAfter(11 * MINUTE_MS), OTHERS).toEqual(['outbox_late'])
  await fixture.service.query('DELETE FROM idem_outbox')
  expect(await holdingAfter(11 * MINUTE_MS)).toEqual([])
})

test('what waited before that transaction began is late, not held back', async () => {
  await relaySeen('1 second')
  await waiting(1, '20 minutes')
  const holder = await fixture.service.connect()
  try {
    await holder.query('BEGIN')
    await holder.query('SELECT pg_current_xact_id()')
    await expect.poll(() => kindsAfter(3 * MINUTE_MS), OTHERS).toEqual(['outbox_late'])
    // One key's lane holds the late one only: what is held back waits in its own.
    await waiting(2, '0 seconds')
    expect(await kindsAfter(3 * MINUTE_MS)).toEqual(['outbox_late', 'publishing_held_back'])
  } finally {
    await holder.query('ROLLBACK')
    holder.release()
  }
})

test('the verdict says it in a sentence', async () => {
  const holder = await fixture.service.connect()
  try {
    await holder.query('BEGIN')
    await holder.query('SELECT pg_current_xact_id()')
    await waiting(1, '0 seconds')
    await relaySeen('1 second')
    const figures = { measured: true } as Parameters<typeof verdictSentence>[1]
    expect(verdictSentence(await holdingAfter(3 * MINUTE_MS), figures)).toEqual({
      tone: 'bad',
      text: 'An open transaction holds back 1 message of outbox for 3 min: its relays publish nothing newer.',
    })
  } finally {
    await holder.query('ROLLBACK')
    holder.release()
  }
})
