import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { evaluateConditions } from '@/lib/alerts/evaluate/evaluate'
import { verdictSentence } from '@/lib/alerts/now/verdict-sentence'
import { figuresOf } from '@/lib/alerts/show-alert'
import { readConditions } from '@/lib/conditions/read-conditions'
import { checkMessages } from '@/lib/messages/check-messages'
import { stageSystem } from '@/lib/reconcile/stage/stage'
import { saveSource } from '@/lib/sources/save'
import {
  applyMessage,
  CREDENTIALS_KEY,
  createMessagesFixture,
  type MessagesFixture,
} from './messages-fixture'

const DAY_MS = 86_400_000
const OURS: readonly string[] = ['consumer_retention', 'dead_messages', 'outbox_late', 'relay_dead']
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
