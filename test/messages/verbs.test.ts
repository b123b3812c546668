import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import type { Context } from '@/lib/context'
import { checkMessages } from '@/lib/messages/check-messages'
import { listDeadLetters } from '@/lib/messages/read/dead-letters'
import { approveMessage, rejectMessage, withdrawMessage } from '@/lib/messages/verbs/decide-message'
import { operateMessage } from '@/lib/messages/verbs/operate-message'
import { settleMessages } from '@/lib/messages/verbs/settle-messages'
import { stageSystem } from '@/lib/reconcile/stage/stage'
import {
  acquireMessage,
  actionsOf,
  applyMessage,
  createMessagesFixture,
  deadMessages,
  letGo,
  letterOf,
  loseEnd,
  type MessagesFixture,
  REASON,
  SCOPE,
  statesOf,
  TOPIC,
  target,
} from './messages-fixture'

let fixture: MessagesFixture
let operator: Context
beforeAll(async () => {
  fixture = await createMessagesFixture()
  operator = await fixture.as('operator')
})
afterAll(() => fixture.close())
beforeEach(() => fixture.service.query('DELETE FROM idem_outbox'))

const one = async (options?: Parameters<typeof deadMessages>[2]): Promise<string> => {
  const [id] = await deadMessages(fixture, 1, options)
  if (id === undefined) throw new Error('none')
  return id
}
const redrive = async (id: string, ctx = operator) =>
  operateMessage(ctx, 'redrive', { ...target(await letterOf(fixture, id)), reason: REASON })
const listed = async () => (await listDeadLetters(fixture.console.db, {}, { limit: 100 })).items

test('a message that no consumer applied is published again, audited, and is no dead letter any more', async () => {
  const id = await one()
  const action = await redrive(id)
  expect(action).toMatchObject({ kind: 'redrive', state: 'done', result: { messageId: id } })
  expect(await statesOf(fixture)).toEqual({ [id]: 'P' })
  expect(await listed()).toEqual([])
  const entries = await fixture.console.db.prisma.auditEntry.findMany({ where: { subject: action.id } })
  expect(entries.map(({ verb, outcome }) => [verb, outcome])).toEqual([
    ['message.redrive', 'intent'],
    ['message.redrive', 'done'],
  ])
  // A look that had begun before does not bring it back.
  await checkMessages(fixture.system)
  expect(await listed()).toEqual([])
})

describe('what the consumer’s record forbids', () => {
  const cases: [string, (id: string) => Promise<unknown>, string][] = [
    ['applied', (id) => applyMessage(fixture, id), 'applied'],
    ['in progress', (id) => acquireMessage(fixture, id), 'in_progress'],
    ['of unknown end', (id) => loseEnd(fixture, id, 'mail.send'), 'unknown'],
  ]
  test.each(cases)('%s: refused, and nothing is changed', async (_, prepare, reason) => {
    const id = await one()
    await prepare(id)
    expect(await redrive(id)).toMatchObject({ state: 'refused', result: { reason } })
    expect(await statesOf(fixture)).toEqual({ [id]: 'D' })
  })

  test('older than records are kept: refused', async () => {
    const id = await one({ age: '25 hours' })
    expect(await redrive(id)).toMatchObject({ state: 'refused', result: { reason: 'expired' } })
    expect(await statesOf(fixture)).toEqual({ [id]: 'D' })
  })

  test('one that was tried and let go is sent again', async () => {
    const id = await one({ age: '3 days' })
    await letGo(fixture, id)
    expect(await redrive(id)).toMatchObject({ state: 'done' })
  })

  test('a topic that nobody is known to consume is not sent again, and can be discarded', async () => {
    const id = await one({ topic: 'nobody' })
    expect(await redrive(id)).toMatchObject({ state: 'refused', result: { reason: 'no_consumer' } })
    const letter = target(await letterOf(fixture, id))
    expect(await operateMessage(operator, 'discard', { ...letter, reason: REASON })).toMatchObject({
      state: 'done',
    })
    expect(await statesOf(fixture)).toEqual({ [id]: 'X' })
  })

  test('of a topic that the source names nobody for, the groups that the console has seen count', async () => {
    const topic = 'seen-only'
    await applyMessage(fixture, 'earlier', `mailer/CONSUME ${topic}`)
    await stageSystem(fixture.system, 'payments')
    const [fresh, applied] = await deadMessages(fixture, 2, { topic })
    await applyMessage(fixture, applied ?? '', `mailer/CONSUME ${topic}`)
    expect(await redrive(fresh ?? '')).toMatchObject({ state: 'done' })
    expect(await redrive(applied ?? '')).toMatchObject({ state: 'refused', result: { reason: 'applied' } })
  })

  test('a record that was staged and collected since is not taken for absence', async () => {
    const id = await one()
    await applyMessage(fixture, id)
    await stageSystem(fixture.system, 'payments')
    await fixture.service.query('DELETE FROM idem_record')
    expect(await redrive(id)).toMatchObject({ state: 'refused', result: { reason: 'applied' } })
  })

  test('a hold on the consumer holds back a redrive too', async () => {
    const { placeHold } = await import('@/lib/locks/holds/place-hold')
    const { liftHold } = await import('@/lib/locks/holds/lift-hold')
    const id = await one()
    const hold = await placeHold(operator, {
      source: fixture.sourceId,
      target: { kind: 'caller', caller: 'billing' },
      minutes: 5,
      reason: REASON,
    })
    expect(await redrive(id)).toMatchObject({ state: 'refused', result: { reason: 'held' } })
    await liftHold(operator, { id: hold.id, source: fixture.sourceId, reason: REASON })
    expect(await redrive(id)).toMatchObject({ state: 'done' })
  })
})

describe('races', () => {
  test('of two redrives by two people one is done', async () => {
    const id = await one()
    const letter = target(await letterOf(fixture, id))
    const other = await fixture.as('operator', 'second')
    const both = await Promise.all(
      [operator, other].map((ctx) => operateMessage(ctx, 'redrive', { ...letter, reason: REASON })),
    )
    expect(both.map(({ state }) => state).sort()).toEqual(['done', 'refused'])
  })

  test('a double click is one act', async () => {
    const id = await one()
    const letter = target(await letterOf(fixture, id))
    const click = () => operateMessage(operator, 'redrive', { ...letter, reason: REASON })
    const clicks = await Promise.all([click(), click(), click()])
    const last = await click()
    expect(new Set([...clicks, last].map((action) => action.id)).size).toBe(1)
    expect(last.state).toBe('done')
  })

  test('a consumer that finishes between the look and the act: refused', async () => {
    const id = await one()
    const letter = target(await letterOf(fixture, id))
    await applyMessage(fixture, id)
    expect(await operateMessage(operator, 'redrive', { ...letter, reason: REASON })).toMatchObject({
      state: 'refused',
      result: { reason: 'applied' },
    })
  })

  test('a message that died once more since it was seen is left alone', async () => {
    const id = await one()
    const letter = target(await letterOf(fixture, id))
    await fixture.service.query(
      `UPDATE idem_outbox SET settled_at = clock_timestamp(), error = 'again' WHERE id = $1`,
      [id],
    )
    expect(await operateMessage(operator, 'redrive', { ...letter, reason: REASON })).toMatchObject({
      state: 'refused',
      result: { reason: 'changed' },
    })
    expect(await statesOf(fixture)).toEqual({ [id]: 'D' })
  })
})

test('an act whose answer was lost is settled by reading', async () => {
  const id = await one()
  const action = await redrive(id)
  await fixture.console.db.pool.query(
    `UPDATE action SET state = 'unknown', finished_at = NULL, executed_at = now() - interval '5 minutes' WHERE id = $1`,
    [action.id],
  )
  expect(await settleMessages(fixture.system)).toEqual({ settled: 1, open: 0 })
  expect(await actionsOf(operator, { id: action.id })).toMatchObject([
    { state: 'done', result: { settled: 'applied' } },
  ])
})

test('an edited message is a new one that names the old', async () => {
  const id = await one()
  const letter = target(await letterOf(fixture, id))
  const payload = Buffer.from('{"order":2}')
  const action = await operateMessage(operator, 'redrive', { ...letter, reason: REASON, payload })
  expect(action.state).toBe('done')
  const { messageId } = action.result as { messageId: string }
  expect(messageId).not.toBe(id)
  expect(await statesOf(fixture)).toEqual({ [id]: 'X', [messageId]: 'P' })
})

test('nobody acts while writes are off, and a viewer never does', async () => {
  const id = await one()
  const letter = target(await letterOf(fixture, id))
  const viewer = await fixture.as('viewer')
  await expect(operateMessage(viewer, 'redrive', { ...letter, reason: REASON })).rejects.toMatchObject({
    code: 'forbidden',
  })
  await expect(operateMessage(operator, 'redrive', { ...letter, reason: 'short' })).rejects.toThrow()
  const admin = await fixture.as('admin')
  await setKillSwitch(admin, { on: true, reason: 'a test of the switch' })
  await expect(operateMessage(operator, 'redrive', { ...letter, reason: REASON })).rejects.toMatchObject({
    code: 'kill_switch',
  })
  await setKillSwitch(admin, { on: false, reason: 'the test is over' })
  expect(await statesOf(fixture)).toEqual({ [id]: 'D' })
})

describe('where money moves', () => {
  const MONEY = 'refunds-due'
  const scope = `billing/CONSUME ${MONEY}`
  beforeAll(async () => {
    await fixture.console.db.prisma.source.update({
      where: { id: fixture.outboxId },
      data: {
        config: {
          consumers: [TOPIC, MONEY].map((topic) => ({ group: 'billing', topic, store: 'store' })),
        },
      },
    })
    const holder = await acquireMessage(fixture, 'a-paid-one', scope)
    const effect = {
      step: 'charge',
      name: 'stripe.charge',
      kind: 'http',
      providerKey: 'pk',
      leaseMs: 60_000,
    } as const
    await fixture.store.beginEffect(holder, effect)
    const end = {
      state: 'committed',
      reference: 'ch_1',
      amountMinor: 5n,
      currency: 'USD',
      result: null,
    } as const
    await fixture.store.settleEffect(holder, 'charge', end)
    await fixture.store.complete(holder, { status: 204, headers: [], body: new Uint8Array() })
    await stageSystem(fixture.system, 'payments')
  })

  const propose = async (verb: 'redrive' | 'discard' = 'redrive', payload?: Buffer) => {
    const id = await one({ topic: MONEY })
    const letter = target(await letterOf(fixture, id))
    const action = await operateMessage(operator, verb, { ...letter, reason: REASON, payload })
    return { id, action, letter }
  }

  test('a second person agrees to the same evidence, and only then it is published', async () => {
    const { id, action, letter } = await propose()
    expect(action).toMatchObject({ state: 'proposed', evidence: { consumers: [{ state: 'never_applied' }] } })
    expect(await statesOf(fixture)).toEqual({ [id]: 'D' })
    const again = await operateMessage(operator, 'redrive', { ...letter, reason: REASON })
    expect(again.id).toBe(action.id)
    const approve = { actionId: action.id, evidenceHash: action.evidenceHash ?? '' }
    await expect(approveMessage(operator, approve)).rejects.toMatchObject({ code: 'forbidden' })
    const approver = await fixture.as('approver')
    await expect(approveMessage(approver, { ...approve, evidenceHash: 'other' })).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(await approveMessage(approver, approve)).toMatchObject({ state: 'done' })
    expect(await statesOf(fixture)).toEqual({ [id]: 'P' })
    await expect(approveMessage(approver, approve)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('what a consumer says now decides, not what was agreed on', async () => {
    const { id, action } = await propose()
    await acquireMessage(fixture, id, scope)
    const approver = await fixture.as('approver')
    expect(
      await approveMessage(approver, { actionId: action.id, evidenceHash: action.evidenceHash ?? '' }),
    ).toMatchObject({ state: 'refused', result: { reason: 'in_progress' } })
    expect(await statesOf(fixture)).toEqual({ [id]: 'D' })
  })

  test('the changed content is kept apart from the proposal until it is approved', async () => {
    const { id, action } = await propose('redrive', Buffer.from('{"secret":"changed"}'))
    expect(JSON.stringify(action)).not.toContain('changed"')
    const approver = await fixture.as('approver')
    const done = await approveMessage(approver, {
      actionId: action.id,
      evidenceHash: action.evidenceHash ?? '',
    })
    expect(done.state).toBe('done')
    const { messageId } = done.result as { messageId: string }
    const { rows } = await fixture.service.query(
      'SELECT convert_from(payload, $2) AS text FROM idem_outbox WHERE id = $1',
      [messageId, 'UTF8'],
    )
    expect(rows).toEqual([{ text: '{"secret":"changed"}' }])
    expect(await statesOf(fixture)).toEqual({ [id]: 'X', [messageId]: 'P' })
  })

  test('a discard of what was applied takes one person; of what was not, two', async () => {
    const id = await one({ topic: MONEY })
    await applyMessage(fixture, id, scope)
    const letter = target(await letterOf(fixture, id))
    expect(await operateMessage(operator, 'discard', { ...letter, reason: REASON })).toMatchObject({
      state: 'done',
    })
    expect((await propose('discard')).action.state).toBe('proposed')
  })

  test('it is rejected by a second person, and taken back by its proposer', async () => {
    const [a, b] = [await propose(), await propose()]
    const approver = await fixture.as('approver')
    expect(await rejectMessage(approver, { actionId: a.action.id, reason: REASON })).toMatchObject({
      state: 'rejected',
    })
    await expect(withdrawMessage(approver, { actionId: b.action.id, reason: REASON })).rejects.toThrow()
    expect(await withdrawMessage(operator, { actionId: b.action.id, reason: REASON })).toMatchObject({
      state: 'rejected',
    })
  })

  test('older than records are kept: the provider’s complete listing proves that it never was, or what it has is found', async () => {
    const charge = (id: string) =>
      fixture.stripe.paymentIntents.create({
        ...{ amount: 1050, currency: 'usd', confirm: true, payment_method: 'pm_card_visa' },
        metadata: { idempotency_scope: scope, idempotency_key: id, idempotency_step: 'charge' },
      })
    const absent = await one({ topic: MONEY, age: '25 hours' })
    const proposed = await redrive(absent)
    expect(proposed).toMatchObject({
      state: 'proposed',
      evidence: { consumers: [{ state: 'proved_absent' }] },
    })
    const charged = await one({ topic: MONEY, age: '25 hours' })
    await charge(charged)
    expect(await redrive(charged)).toMatchObject({ state: 'refused', result: { reason: 'applied' } })
    // Of an effect that no provider lists, its silence proves nothing.
    const holder = await acquireMessage(fixture, 'mails-too', scope)
    const mail = {
      step: 'mail',
      name: 'mail.send',
      kind: 'http',
      providerKey: null,
      leaseMs: 60_000,
    } as const
    await fixture.store.beginEffect(holder, mail)
    await fixture.store.abandon(holder)
    await stageSystem(fixture.system, 'payments')
    const other = await one({ topic: MONEY, age: '25 hours' })
    expect(await redrive(other)).toMatchObject({ state: 'refused', result: { reason: 'expired' } })
  })
})

test('a store that does not answer proves nothing', async () => {
  const id = await one()
  const letter = target(await letterOf(fixture, id))
  await fixture.console.db.prisma.source.update({ where: { id: fixture.sourceId }, data: { enabled: false } })
  expect(await operateMessage(operator, 'redrive', { ...letter, reason: REASON })).toMatchObject({
    state: 'refused',
    result: { reason: 'not_known' },
  })
  await fixture.console.db.prisma.source.update({ where: { id: fixture.sourceId }, data: { enabled: true } })
  expect(SCOPE).toBe('billing/CONSUME orders')
})
