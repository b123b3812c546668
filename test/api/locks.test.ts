import { afterAll, beforeAll, expect, test } from 'vitest'
import { lockSchema } from '@/app/_server/api/schemas'
import { newId } from '@/lib/core/ids'
import { bearer, type Console, createConsole, get, post, REASON } from './console-fixture'

let console: Console
let operator: Record<string, string>
let lockId: string

beforeAll(async () => {
  console = await createConsole()
  operator = bearer(console.tokens.operator)
  const at = new Date('2026-11-22T10:00:00Z')
  lockId = newId('lock')
  await console.db.prisma.source.create({
    data: {
      id: 'src_store',
      kind: 'intent',
      adapter: 'native',
      name: 'store',
      system: 'payments',
      config: {},
      createdAt: at,
    },
  })
  await console.db.prisma.lock.create({
    data: {
      id: lockId,
      sourceId: 'src_store',
      scope: 'web/POST /v1/payments',
      key: 'key-1',
      state: 'lease_expired',
      version: '7.000000000000000000000000.000000000000',
      fence: 7n,
      attempts: 1,
      holder: 'pid-1',
      acquiredAt: at,
      leaseUntil: at,
      heartbeatAt: at,
      verdict: 'release',
      verdictReason: 'No effect.',
      providerAnswer: { kind: 'no_provider' },
      checkedAt: at,
    },
  })
})
afterAll(() => console.close())

const release = (body: unknown) => post('locks/release', body, operator)
const actions = () => console.db.prisma.action.count()

test('locks are listed with their version and verdict', async () => {
  const { body } = await get('locks?stuckOnly=true', operator)
  expect(body.items.map((item: unknown) => lockSchema.parse(item))).toMatchObject([
    { id: lockId, verdict: 'release' },
  ])
  expect(body.stores).toBe('not_read')
})

test.each<[string, unknown, string]>([
  ['neither ids nor a filter', { reason: REASON }, 'Name the locks'],
  ['no object', [], 'Name the locks'],
  ['a filter without a dry run', { filter: { stuckOnly: true }, reason: REASON }, 'dryRun'],
  ['an empty filter', { filter: {}, dryRun: true }, 'it is empty'],
  ['a filter that is not known', { filter: { colour: 'red' }, dryRun: true }, 'colour'],
  ['no ids', { ids: [], seen: {}, reason: REASON }, 'at least one lock'],
  [
    'ids without what was seen',
    { ids: ['lock_a'], seen: {}, reason: REASON },
    'seen has no version of lock_a',
  ],
  ['no reason', { ids: ['lock_a'], seen: { lock_a: 'v' } }, 'reason'],
  ['a short reason', { ids: ['lock_a'], seen: { lock_a: 'v' }, reason: 'because' }, 'at least 10 characters'],
  [
    'more than one way to name them',
    { ids: ['lock_a'], seen: { lock_a: 'v' }, filter: {}, reason: REASON },
    'filter',
  ],
])('%s is refused', async (_, body, says) => {
  const before = await actions()
  const answer = await release(body)
  expect(answer.status).toBe(400)
  expect(answer.body.detail).toContain(says)
  expect(await actions()).toBe(before)
})

test('a version that was never one is a conflict with the fresh state, and changes nothing', async () => {
  const before = await actions()
  const { status, body } = await release({ ids: [lockId], seen: { [lockId]: 'stale' }, reason: REASON })
  expect(status).toBe(409)
  expect(body.locks).toMatchObject([{ id: lockId, version: '7.000000000000000000000000.000000000000' }])
  expect(await actions()).toBe(before)
})

test('a lock that is not known is not found', async () => {
  const { status } = await release({ ids: ['lock_none'], seen: { lock_none: 'v' }, reason: REASON })
  expect(status).toBe(404)
})

test('a filter that matches nothing makes an empty snapshot, which does nothing', async () => {
  const frozen = await release({ filter: { scope: 'nobody/POST /nothing' }, dryRun: true })
  expect(frozen).toMatchObject({ status: 200, body: { verb: 'release', count: 0, excluded: [] } })
  const { snapshotId } = frozen.body
  const wrongVerb = await post('locks/fail', { snapshotId, reason: REASON }, operator)
  expect(wrongVerb.status).toBe(400)
  const done = await release({ snapshotId, reason: REASON })
  expect(done).toMatchObject({ status: 200, body: { items: [] } })
})
