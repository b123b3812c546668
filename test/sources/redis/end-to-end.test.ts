import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { LockView } from '@/lib/locks/list-locks'
import { settleUnknown } from '@/lib/locks/verbs/settle-unknown'
import { type Operated, operate } from '../../conformance/operated'
import { createFixture, type Fixture } from '../../locks/locks-fixture'
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
let operated: Operated
beforeAll(async () => {
  redis = await startRedis()
  service = await nodeIdempotency(redis.url)
  fixture = await createFixture()
  const config = {
    library: 'node-idempotency',
    requestMs: REQUEST_MS,
    providerKeyed: true,
    responses: {
      'POST /v1/payments': { status: 201, headers: {}, body: '{"id":"{{effect.reference}}"}' },
    },
  }
  operated = await operate(fixture, { adapter: 'redis', config, secret: { url: redis.url } }, SCOPE)
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
  return operated.lockOf(key)
}
const staged = async (key: string) => {
  await operated.stage()
  return operated.staged(key)
}
const answerOf = async (key: string) =>
  service.request(key, async () => ({ status: 201, body: { id: 'ran again' } }))

test('a dead key is released with what that may do said; one whose effect the provider has is completed and replayed', async () => {
  const free = await dead('free')
  expect(free).toMatchObject({ verdict: 'release', scope: SCOPE })
  expect(await operated.act('release', free)).toMatchObject({ state: 'done' })
  expect(await answerOf('free')).toMatchObject({ kind: 'executed' })
  expect(await staged('free')).toEqual(['completed'])

  const { latest_charge: charge } = await operated.charged('paid')
  const paid = await dead('paid')
  expect(paid.verdict).toBe('complete')
  expect(await operated.act('release', paid)).toMatchObject({
    state: 'refused',
    result: { reason: 'effect_found' },
  })
  expect(await operated.act('complete', paid)).toMatchObject({ state: 'done' })
  expect(await answerOf('paid')).toMatchObject({ kind: 'replayed', body: { id: charge } })
  expect(await staged('paid')).toContain('completed')
})

test('a process that died after its write: a reading settles that it is in place', async () => {
  const free = await dead('free-2')
  const released = await operated.act('release', free)
  await operated.charged('paid-2')
  const paid = await dead('paid-2')
  const completed = await operated.act('complete', paid)
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
  // Redis tells of what was flushed beside its answers.
  await expect.poll(() => operated.locks('gone')).toEqual([])
})
