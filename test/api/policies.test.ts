import { afterAll, beforeAll, expect, test } from 'vitest'
import { evidenceHashOf } from '@/lib/actions/evidence-hash'
import { POLICY_ACTION_KIND } from '@/lib/core/states'
import { type Console, createConsole, get, post, REASON, session } from './console-fixture'

/** A policy is decided on by the same routes as a correction, and by its own verbs. */

let console: Console
let proposerId: string
beforeAll(async () => {
  console = await createConsole()
  proposerId = (await console.db.prisma.user.findFirstOrThrow({ where: { email: 'operator@example.com' } }))
    .id
})
afterAll(() => console.close())

const params = {
  source: 'src_a',
  tier: 'standard',
  endpoint: '',
  ttlMs: null,
  safetyMs: 60_000,
  archive: true,
}
const evidence = { before: null, after: { ...params, exception: null }, floorMs: null }

async function proposed(id: string): Promise<string> {
  await console.db.prisma.action.create({
    data: {
      id,
      kind: POLICY_ACTION_KIND,
      state: 'proposed',
      reason: REASON,
      sourceId: params.source,
      params,
      seen: {},
      evidence,
      evidenceHash: evidenceHashOf(evidence),
      proposerId,
      requestId: 'req_1',
      createdAt: new Date('2026-11-22T02:00:00Z'),
    },
  })
  return evidenceHashOf(evidence)
}

test('approved by another person it is in force, once; by its proposer it is refused', async () => {
  const evidenceHash = await proposed('act_policy1')
  const [operator, approver] = [session(console.cookies.operator), session(console.cookies.approver)]
  expect((await post('actions/act_policy1/approve', { evidenceHash }, operator)).status).toBe(403)
  expect((await post('actions/act_policy1/approve', { evidenceHash: 'other' }, approver)).status).toBe(409)
  const [one, two] = await Promise.all(
    [1, 2].map(() => post('actions/act_policy1/approve', { evidenceHash }, approver)),
  )
  expect([one?.status, two?.status].toSorted()).toEqual([200, 409])
  const { body } = await get('retention/policies', operator)
  expect(body.items).toMatchObject([{ source: 'src_a', tier: 'standard', safetyMs: 60_000, archive: true }])
})

test('rejected by another person, withdrawn by its proposer only', async () => {
  await proposed('act_policy2')
  await proposed('act_policy3')
  const [operator, approver] = [session(console.cookies.operator), session(console.cookies.approver)]
  const reason = REASON
  expect((await post('actions/act_policy2/reject', { reason }, operator)).status).toBe(403)
  expect((await post('actions/act_policy2/reject', { reason }, approver)).body.state).toBe('rejected')
  expect((await post('actions/act_policy3/withdraw', { reason }, approver)).status).toBe(403)
  expect((await post('actions/act_policy3/withdraw', { reason }, operator)).body.state).toBe('rejected')
  const { body } = await get('audit?subject=act_policy3', operator)
  expect(body.items[0]).toMatchObject({ verb: 'retention.withdraw', outcome: 'withdrawn', reason })
})
