import { afterAll, beforeEach, expect, test } from 'vitest'
import { lowerRole } from '@/lib/access/lower-role'
import { setBanned } from '@/lib/access/set-banned'
import { findTokenActor, mintToken } from '@/lib/access/tokens'
import type { Context } from '@/lib/context'
import { approve } from '@/lib/reconcile/corrections/approve'
import { settleCorrections } from '@/lib/reconcile/corrections/execute/settle'
import { propose } from '@/lib/reconcile/corrections/propose'
import { createCorrectionFixture, hashOf } from './correction-fixture'
import { REASON, SETTINGS } from './world'

/** What was approved is sent on the word of two people: both must be who they were, for as long as it is sent. */

const { world, doubled, refundsOf, calm } = await createCorrectionFixture()
const admin = await world.as('admin', 'admin')
afterAll(() => world.close())
beforeEach(calm)

const userIdOf = ({ actor }: Context): string => (actor.kind === 'user' ? actor.userId : '')
const lockOut = (who: Context) => setBanned(admin, { userId: userIdOf(who), banned: true, reason: REASON })
const lower = (who: Context) => lowerRole(admin, { userId: userIdOf(who), role: 'viewer', reason: REASON })

/** A service by its token, and the person who answers for it. */
async function serviceOf(owner: Context, name: string): Promise<Context> {
  const { db, clock } = world.system
  const { email } = await db.prisma.user.findUniqueOrThrow({ where: { id: userIdOf(owner) } })
  const { tokenId } = await mintToken(db, clock, { role: 'operator', name, owner: email })
  const actor = await findTokenActor(db, tokenId, clock.now())
  if (actor === null) throw new Error('the token does not act')
  return { ...owner, actor }
}

type People = { owner: Context; proposer: Context; approver: Context }
const CHANGES: [string, (people: People) => Promise<void>][] = [
  ['its approver was locked out', ({ approver }) => lockOut(approver)],
  ['its approver may not approve any more', ({ approver }) => lower(approver)],
  ['its proposer may not propose any more', ({ proposer }) => lower(proposer)],
  ['the owner of the service that proposed it was locked out', ({ owner }) => lockOut(owner)],
]

test.each(CHANGES)('a correction whose answer was lost is not sent again once %s', async (what, change) => {
  const serial = CHANGES.findIndex(([name]) => name === what)
  const owner = await world.as('operator', `owner-${serial}`)
  const proposer = what.includes('service') ? await serviceOf(owner, `bot ${serial}`) : owner
  const approver = await world.as('approver', `approver-${serial}`)
  const { caseId, duplicate } = await doubled()
  const action = await propose(proposer, { caseId, kind: 'refund', reason: REASON }, SETTINGS)
  world.provider.control.setSwitches({
    serverError: { remaining: 1, effect: 'before', match: 'POST /v1/refunds' },
  })
  const sent = await approve(approver, { actionId: action.id, evidenceHash: hashOf(action) }, SETTINGS)
  expect(sent.state).toBe('unknown')
  await change({ owner, proposer, approver })
  world.advance(10_000)
  expect(await settleCorrections(world.system, SETTINGS)).toBe(0)
  expect(await refundsOf(duplicate)).toHaveLength(0)
  // It is out of the way of the next one.
  await world.system.db.prisma.action.update({ where: { id: action.id }, data: { state: 'failed' } })
})
