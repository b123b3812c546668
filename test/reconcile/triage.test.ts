import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { getCase, listCases } from '@/lib/reconcile/cases/cases'
import { acknowledgeCase } from '@/lib/reconcile/triage/acknowledge'
import { assignCase } from '@/lib/reconcile/triage/assign'
import { closeCaseByHand } from '@/lib/reconcile/triage/close-by-hand'
import { commentCase } from '@/lib/reconcile/triage/comment'
import { snoozeCase } from '@/lib/reconcile/triage/snooze'
import { pay } from './payments'
import { createWorld, REASON, reconcileNow, type World } from './world'

let world: World
let operator: Context
let viewer: Context
const ids: string[] = []

beforeAll(async () => {
  world = await createWorld()
  operator = await world.as('operator')
  viewer = await world.as('viewer')
  for (let n = 0; n < 5; n++) await pay(world, `triage-${n}`, { bookAs: 1234 })
  world.advance(30_000)
  await reconcileNow(world)
  ids.push(...(await listCases(world.system.db, {}, { limit: 50 })).items.map(({ id }) => id))
})
afterAll(() => world.close())

test('cases come in pages, each once, newest first, and by every filter', async () => {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await listCases(world.system.db, {}, { limit: 2, cursor })
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  expect(seen).toEqual(ids)
  const count = async (filter: Parameters<typeof listCases>[1]) =>
    (await listCases(world.system.db, filter, { limit: 50 })).items.length
  expect(
    await count({ class: ['amount_mismatch'], outcome: ['break'], lifecycle: ['new'], triage: ['open'] }),
  ).toBe(5)
  expect(await count({ class: ['orphan_effect'] })).toBe(0)
  expect(await count({ reference: 'triage-1', system: 'payments' })).toBe(1)
})

test('each verb changes the case, its history and the audit at once', async () => {
  const [caseId = ''] = ids
  expect(await acknowledgeCase(operator, caseId)).toMatchObject({ triage: 'acknowledged' })
  expect(await assignCase(operator, { caseId, ownerId: 'user-operator' })).toMatchObject({
    triage: 'assigned',
    owner: 'user-operator',
  })
  const until = new Date(world.system.clock.now().getTime() + 3_600_000)
  expect(await snoozeCase(operator, { caseId, until })).toMatchObject({
    triage: 'snoozed',
    snoozedUntil: until.toISOString(),
  })
  await commentCase(operator, { caseId, text: 'asked the service’s team' })
  expect(await closeCaseByHand(operator, { caseId, reason: REASON })).toMatchObject({
    lifecycle: 'resolved',
    resolution: 'by_hand',
  })
  const { events } = await getCase(world.system.db, caseId)
  const verbs = ['close', 'comment', 'snooze', 'assign', 'acknowledge']
  expect(events.map(({ kind }) => kind)).toEqual([...verbs, 'opened'])
  const audit = await world.system.db.prisma.auditEntry.findMany({
    where: { subject: caseId },
    orderBy: { id: 'desc' },
  })
  expect(audit.map(({ verb }) => verb)).toEqual(verbs.map((verb) => `case.${verb}`))
})

test('a resolved case takes comments only; a viewer changes nothing; nonsense is refused', async () => {
  const [closed = '', open = ''] = ids
  await expect(acknowledgeCase(operator, closed)).rejects.toMatchObject({ code: 'conflict' })
  await commentCase(operator, { caseId: closed, text: 'for the record' })
  await expect(acknowledgeCase(viewer, open)).rejects.toMatchObject({ code: 'forbidden' })
  await expect(acknowledgeCase(operator, 'case_none')).rejects.toMatchObject({ code: 'not_found' })
  await expect(assignCase(operator, { caseId: open, ownerId: 'nobody' })).rejects.toMatchObject({
    code: 'not_found',
  })
  const past = new Date(world.system.clock.now().getTime() - 1)
  await expect(snoozeCase(operator, { caseId: open, until: past })).rejects.toMatchObject({ code: 'invalid' })
  await expect(closeCaseByHand(operator, { caseId: open, reason: 'short' })).rejects.toThrow(
    /at least 10 characters/,
  )
})

test('of two who close at once one wins', async () => {
  const [, , caseId = ''] = ids
  const answers = await Promise.allSettled(
    [1, 2].map(() => closeCaseByHand(operator, { caseId, reason: REASON })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
})
