import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventsOf } from '@/app/(console)/messages/[source]/[place]/events'
import { readExecutions } from '@/app/(console)/messages/[source]/[place]/read-executions'
import { readMessageNow } from '@/lib/messages/read/read-message'
import {
  createMessagesFixture,
  deadMessages,
  letterOf,
  loseEnd,
  type MessagesFixture,
  SCOPE,
  target,
} from '../messages/messages-fixture'

let fixture: MessagesFixture
beforeAll(async () => {
  fixture = await createMessagesFixture()
})
afterAll(() => fixture.close())

async function knownOf(id: string) {
  const read = await readMessageNow(fixture.system, target(await letterOf(fixture, id)))
  const executions = await readExecutions(fixture.system, read.message.id, read.consumers)
  return { message: read.message, executions, actions: [] }
}
const plant = (key: string, lifecycle: string) =>
  fixture.console.db.prisma.reconciliationCase.create({
    data: {
      ...{ id: `case_${lifecycle}`, breakId: lifecycle, system: 'payments', operationId: 1n },
      ...{ aspect: 'existence', objectId: 'ch_1', class: 'orphan_effect', severity: 'P1', outcome: 'break' },
      ...{ lifecycle, scope: SCOPE, key, evidence: {}, evidenceHash: 'h' },
      ...{ firstSeen: new Date(), lastSeen: new Date() },
    },
  })

test('a message, its consumer’s steps and open cases are one list in order of time', async () => {
  const [id = ''] = await deadMessages(fixture, 1)
  await loseEnd(fixture, id)
  await plant(id, 'new')
  await plant(id, 'resolved')
  const known = await knownOf(id)
  const events = eventsOf(known)
  expect(events.map(({ title }) => title)).toEqual([
    'Published',
    'Given up',
    'billing took it',
    expect.stringMatching(/^billing: stripe\.charge /),
    expect.stringMatching(/^Case opened: /),
  ])
  expect(events[1]?.detail).toBe('after 10 attempts')
  expect(events[2]?.link?.href).toBe(`/keys/${known.executions[0]?.keyId}`)
  expect(events[4]?.link?.href).toBe('/reconciliation/cases/case_new')
})

test('a booking and a provider’s object are put where they belong in time, an object once', async () => {
  const [id = ''] = await deadMessages(fixture, 1)
  await loseEnd(fixture, id)
  const { message, executions, actions } = await knownOf(id)
  const [execution] = executions
  if (execution === undefined || message.settledAt === null) throw new Error('no execution')
  const at = new Date(message.settledAt.getTime() - 1_000)
  const amount = { minor: '1050', currency: 'EUR' }
  const booked = {
    ...{ id: 'row_1', source: 'books', kind: 'charge', providerRef: 'ch_1', reference: null },
    ...{ amount, bookedAt: at.toISOString(), reversed: false },
  }
  const charge = {
    ...{
      sourceId: 'stripe',
      kind: 'charge' as const,
      id: 'ch_1',
      parentId: null,
      status: 'succeeded' as const,
    },
    ...{ step: null, reference: null, createdAt: new Date(at.getTime() - 1_000), stagedAt: at },
    ...{ amount, refunded: { minor: '0', currency: 'EUR' }, captured: amount },
  }
  const told = {
    ...{ step: 'charge', name: 'stripe.charge', stored: null, duplicate: false, outcome: 'committed' },
    ...{ reference: 'ch_1', amount, begunAt: at.toISOString(), seenBy: 'provider' },
  }
  const detail = { ...execution.detail, providerObjects: [charge] }
  const known = { ...execution, detail, ledger: [booked], effects: [told] }
  const events = eventsOf({ message, actions, executions: [known] })
  expect(events.map(({ title }) => title)).toEqual([
    'Published',
    'Provider: charge succeeded, €10.50',
    'Ledger: charge, €10.50',
    'Given up',
    'billing took it',
  ])
})

test('a consumer without a record adds nothing, and a time that is not known comes first', async () => {
  const [id = ''] = await deadMessages(fixture, 1)
  const { message, executions, actions } = await knownOf(id)
  expect(executions).toEqual([])
  const events = eventsOf({ message: { ...message, publishedAt: null }, executions, actions })
  expect(events.map(({ at, title }) => [at === null, title])).toEqual([
    [true, 'Published'],
    [false, 'Given up'],
  ])
})
