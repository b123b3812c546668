import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { listKeys } from '@/lib/keys/list-keys'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import { settleUnknown } from '@/lib/locks/verbs/settle-unknown'
import { stageSystem } from '@/lib/reconcile/stage/stage'
import { saveSource } from '@/lib/sources/save'
import { CREDENTIALS_KEY, createFixture, type Fixture, REASON, SETTINGS } from '../../locks/locks-fixture'
import { type RedisServer, startRedis } from '../../support/redis-server'
import { setSettings } from '../../support/settings'
import { controlledWork } from './fixture'
import { nodeIdempotency, type Service } from './libraries'

setSettings({ IDEMSCOPE_KEY_SECRET: 'k'.repeat(32) })

const SCOPE = '/POST /v1/payments'
const REQUEST_MS = 60_000
let fixture: Fixture
let redis: RedisServer
let service: Service
let operator: Context
let source: string
beforeAll(async () => {
  redis = await startRedis()
  service = await nodeIdempotency(redis.url)
  fixture = await createFixture()
  operator = await fixture.as('operator')
  const config = {
    library: 'node-idempotency',
    requestMs: REQUEST_MS,
    providerKeyed: true,
    responses: {
      'POST /v1/payments': { status: 201, headers: {}, body: '{"id":"{{effect.reference}}"}' },
    },
  }
  source = await saveSource(
    fixture.system,
    { adapter: 'redis', name: 'redis', system: 'payments', config, secret: { url: redis.url } },
    { credentialsKey: CREDENTIALS_KEY },
  )
})
afterAll(async () => {
  await fixture.close()
  await service.close()
  await redis.close()
})
beforeEach(() => redis.admin.flushall())

/** A request whose process is gone: taken so long ago that no request can be running. */
async function dead(key: string): Promise<LockView> {
  const running = controlledWork()
  void service.request(key, running.work).catch(() => undefined)
  await running.started
  const name = `node-idempotency:POST:/v1/payments:${key}`
  await redis.admin.pexpireat(name, (await redis.admin.pexpiretime(name)) - 2 * REQUEST_MS)
  return lockOf(key)
}
async function lockOf(key: string): Promise<LockView> {
  await checkLocks(fixture.system, source, SETTINGS)
  const { items } = await listLocks(fixture.console.db, { source, key }, { limit: 1 }, systemClock.now())
  const [lock] = items
  if (lock === undefined) throw new Error(`no lock of ${key}`)
  return lock
}
const act = (verb: 'release' | 'complete', lock: LockView) =>
  operateKey(
    operator,
    verb,
    {
      sourceId: source,
      scope: lock.scope,
      key: lock.key,
      seen: lock.version,
      reason: REASON,
      lockId: lock.id,
    },
    { settings: SETTINGS },
  )
const charged = (key: string) =>
  fixture.stripe.paymentIntents.create({
    amount: 1050,
    currency: 'usd',
    confirm: true,
    payment_method: 'pm_card_visa',
    metadata: {
      idempotency_scope: SCOPE,
      idempotency_key: key,
      idempotency_step: 'charge',
      reference: 'o-1',
    },
  })
const staged = async (key: string) => {
  await stageSystem(fixture.system, 'payments')
  return (await listKeys(fixture.system, { source, key }, { limit: 5 })).items.map(({ state }) => state)
}
const answerOf = async (key: string) =>
  service.request(key, async () => ({ status: 201, body: { id: 'ran again' } }))

test('a dead key is released with what that may do said; one whose effect the provider has is completed and replayed', async () => {
  const free = await dead('free')
  expect(free).toMatchObject({ verdict: 'release', scope: SCOPE })
  expect(await act('release', free)).toMatchObject({ state: 'done' })
  expect(await answerOf('free')).toMatchObject({ kind: 'executed' })
  expect(await staged('free')).toEqual(['completed'])

  const { latest_charge: charge } = await charged('paid')
  const paid = await dead('paid')
  expect(paid.verdict).toBe('complete')
  expect(await act('release', paid)).toMatchObject({ state: 'refused', result: { reason: 'effect_found' } })
  expect(await act('complete', paid)).toMatchObject({ state: 'done' })
  expect(await answerOf('paid')).toMatchObject({ kind: 'replayed', body: { id: charge } })
  expect(await staged('paid')).toContain('completed')
})

test('a process that died after its write: a reading settles that it is in place', async () => {
  const free = await dead('free-2')
  const released = await act('release', free)
  await charged('paid-2')
  const paid = await dead('paid-2')
  const completed = await act('complete', paid)
  for (const { id } of [released, completed])
    await fixture.console.db.pool.query(
      `UPDATE action SET state = 'unknown', result = '{}', executed_at = executed_at - interval '5 minutes' WHERE id = $1`,
      [id],
    )
  expect(await settleUnknown(fixture.system)).toEqual({ settled: 2, open: 0 })
  const actions = await fixture.console.db.prisma.action.findMany({
    where: { id: { in: [released.id, completed.id] } },
  })
  expect(actions.map(({ state }) => state)).toEqual(['done', 'done'])
})

test('a key that is gone ends as a lock', async () => {
  await dead('gone')
  await redis.admin.flushall()
  await checkLocks(fixture.system, source, SETTINGS)
  const { items } = await listLocks(
    fixture.console.db,
    { source, key: 'gone' },
    { limit: 1 },
    systemClock.now(),
  )
  expect(items).toEqual([])
})
