import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { checkMessages } from '@/lib/messages/check-messages'
import { groupDeadLetters, listDeadLetters } from '@/lib/messages/read/dead-letters'
import { readMessageSources } from '@/lib/messages/read/overview'
import { createMessagesFixture, deadMessages, type MessagesFixture } from './messages-fixture'

let fixture: MessagesFixture
beforeAll(async () => {
  fixture = await createMessagesFixture()
})
afterAll(() => fixture.close())
beforeEach(async () => {
  await fixture.service.query('DELETE FROM idem_outbox')
  await fixture.console.db.pool.query(
    'TRUNCATE messages.dead_letter, messages.topic_minute, messages.source_check',
  )
})

const listed = async () => (await listDeadLetters(fixture.console.db, {}, { limit: 500 })).items

test('lists what is dead, groups it by what it died of, and marks what went', async () => {
  const [first, ...others] = await deadMessages(fixture, 4)
  await fixture.service.query(`UPDATE idem_outbox SET error = 'timeout after 30 s' WHERE id = $1`, [first])
  expect(await checkMessages(fixture.system)).toEqual([
    { source: fixture.outboxId, kind: 'checked', dead: 4, gone: 0, more: false },
  ])
  expect(await groupDeadLetters(fixture.console.db, {})).toMatchObject([
    { topic: 'orders', title: 'Error: no such route in send (send.ts)', count: 3 },
    { topic: 'orders', title: 'timeout after … s', count: 1 },
  ])
  await fixture.service.query(`UPDATE idem_outbox SET state = 'P' WHERE id = $1`, [others[0]])
  expect(await checkMessages(fixture.system)).toMatchObject([{ dead: 3, gone: 1 }])
  expect(await listed()).toHaveLength(3)
  // It dies once more.
  await fixture.service.query(`UPDATE idem_outbox SET state = 'D', settled_at = now() WHERE id = $1`, [
    others[0],
  ])
  await checkMessages(fixture.system)
  expect(await listed()).toHaveLength(4)
})

test('a look that is as the last one writes no letter', async () => {
  await deadMessages(fixture, 3)
  await checkMessages(fixture.system)
  const xmin = async () =>
    (
      await fixture.console.db.pool.query(
        'SELECT id, xmin::text AS xmin FROM messages.dead_letter ORDER BY id',
      )
    ).rows
  const before = await xmin()
  await checkMessages(fixture.system)
  expect(await xmin()).toEqual(before)
})

test('of more than are listed it says that there are more, and takes none of the others for gone', async () => {
  await deadMessages(fixture, 5, { age: '2 hours' })
  await checkMessages(fixture.system)
  expect(await checkMessages(fixture.system, 2)).toMatchObject([{ dead: 2, gone: 0, more: true }])
  expect(await listed()).toHaveLength(5)
  expect(await readMessageSources(fixture.system)).toMatchObject([{ deadListed: 2, deadMore: true }])
})

test('a look that is older than another changes nothing', async () => {
  await deadMessages(fixture, 1)
  await checkMessages(fixture.system)
  const earlier = { ...fixture.system, clock: { now: () => new Date(Date.now() - 60_000) } }
  await fixture.service.query(`UPDATE idem_outbox SET state = 'P'`)
  await checkMessages(earlier)
  expect(await listed()).toHaveLength(1)
})

test('a source that cannot be read keeps its last figures and says since when', async () => {
  await deadMessages(fixture, 2)
  await checkMessages(fixture.system)
  await fixture.service.query('ALTER TABLE idem_outbox RENAME TO idem_outbox_away')
  expect(await checkMessages(fixture.system)).toMatchObject([{ kind: 'unreachable' }])
  const [source] = await readMessageSources(fixture.system)
  expect(source).toMatchObject({ state: 'down', topics: [{ topic: 'orders', dead: 2 }] })
  expect(await listed()).toHaveLength(2)
  await fixture.service.query('ALTER TABLE idem_outbox_away RENAME TO idem_outbox')
})

test('errors that PostgreSQL cannot keep, and endless ones, are kept as far as they can be', async () => {
  const [id] = await deadMessages(fixture, 1)
  await fixture.service.query(`UPDATE idem_outbox SET error = repeat('x', 100000) WHERE id = $1`, [id])
  await checkMessages(fixture.system)
  const [letter] = await listed()
  expect(letter?.error?.length).toBe(8_192)
})
