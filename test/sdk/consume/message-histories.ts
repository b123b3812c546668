import { afterAll, beforeAll, expect, test } from 'vitest'
import { Prng } from '@/demo/prng'
import { histories } from '../../support/whole-or-sample'
import { createStoreFixture, type StoreFixture } from '../support'
import { MessageWorld, type Published } from './message-world'

/** `MESSAGE_HISTORIES=7:1` plays one history that broke, `1:10000` as many. */
const { MESSAGE_HISTORIES } = process.env
const SAMPLE = 40
const MOVES = 40
/** Of one history on a machine that others share. */
const HISTORY_MS_MAX = 5_000

const WEIGHTS = [
  ['publish', 6],
  ['endTransaction', 2],
  ['relay', 7],
  ['wake', 1],
  ['deliver', 10],
  ['redeliver', 1],
  ['expireLeases', 2],
  ['settle', 1],
  ['expireRecord', 0.5],
  ['redrive', 2.5],
  ['collect', 0.5],
] as const

/**
 * Random histories of an outbox, two relays, a broker and a group of two consumers, each with a stream of its own: transactions
 * that roll back or commit late, relays and consumers that are killed anywhere, refusals, dead letters that are sent again or
 * ended, redelivery of what was applied, records that expire. A seed that breaks is its own reproduction.
 */
export function describeMessageHistories(): void {
  let fixture: StoreFixture
  beforeAll(async () => {
    fixture = await createStoreFixture(8)
    await fixture.query('CREATE TABLE applied (message text NOT NULL, topic text NOT NULL)')
  })
  afterAll(() => fixture?.close())

  const [from = 1, count = histories(SAMPLE)] = (MESSAGE_HISTORIES ?? '')
    .split(':')
    .filter(Boolean)
    .map(Number)

  test(`nothing is lost, made up, or applied twice in ${count} histories of messages from ${from} on`, {
    timeout: count * HISTORY_MS_MAX + 240_000,
  }, async () => {
    const startedAt = performance.now()
    const totals = {
      committed: 0,
      rolledBack: 0,
      publishedTwice: 0,
      dead: 0,
      discarded: 0,
      expired: 0,
      twice: 0,
    }
    for (let seed = from; seed < from + count; seed += 1) {
      const world = await play(fixture, seed)
      totals.committed += world.committed.length
      totals.rolledBack += world.rolledBack.length
      totals.publishedTwice += world.broker.log.length - new Set(world.broker.log.map(({ id }) => id)).size
      totals.dead += world.died.size
      totals.discarded += world.discarded.size
      totals.expired += world.expired.size
      totals.twice += await expectWhole(world, seed)
      // What is over weighs on no later history.
      await fixture.query('TRUNCATE idem_outbox, applied, idem_lease, idem_step, idem_record, idem_body')
    }
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(`histories of messages: ${count} from ${from} on in ${seconds} s`, totals)
    // The histories must have been where it hurts: in a sample what is seldom may be missing.
    const { dead, discarded, expired, twice, ...often } = totals
    const asked = count > SAMPLE ? Object.values(totals) : Object.values(often)
    for (const each of asked) expect(each).toBeGreaterThan(count / 50)
  })
}

async function play(fixture: StoreFixture, seed: number): Promise<MessageWorld> {
  const random = new Prng(`messages/${seed}`)
  const world = new MessageWorld(fixture, `history-${seed}`, random)
  for (let move = 0; move < MOVES; move += 1) {
    const name = random.pick(WEIGHTS)
    if (name === 'relay') await world.broker.relay()
    else if (name === 'wake') world.broker.wake()
    else if (name === 'collect') await fixture.query('SELECT idem_outbox_collect(0)')
    else await world[name]()
  }
  await world.finish()
  return world
}

/** Returns how many messages were applied once more after their record had expired. */
async function expectWhole(world: MessageWorld, seed: number): Promise<number> {
  const { committed, discarded, died, expired, broker } = world
  const about = `history ${seed}`
  const arrived = new Set(broker.log.map(({ id }) => id))
  const known = new Set(committed.map(({ id }) => id))
  expect(
    [...arrived].filter((id) => !known.has(id)),
    `${about}: of no committed transaction`,
  ).toEqual([])
  // A message that is dead, or that a person ended, may never have arrived; every other one has.
  const lost = committed.filter(({ id }) => !arrived.has(id) && !died.has(id) && !discarded.has(id))
  expect(lost, `${about}: lost`).toEqual([])

  const applied = new Map((await world.applied()).map(({ message, times }) => [message, times]))
  expect([...applied.keys()].sort(), `${about}: applied`).toEqual([...arrived].sort())
  const mails = new Map<string, number>()
  for (const id of world.sent) mails.set(id, (mails.get(id) ?? 0) + 1)
  for (const id of arrived) {
    if (expired.has(id)) continue
    expect({ rows: applied.get(id), mails: mails.get(id) }, `${about}: ${id}`).toEqual({ rows: 1, mails: 1 })
  }
  expect(overtaken(world), `${about}: overtaken`).toEqual([])
  return [...applied.values()].filter((times) => times > 1).length
}

/** Of one key, what was published first though its transaction began after the other's had committed. */
function overtaken({ committed, broker, died }: MessageWorld): string[] {
  const first = new Map<string, number>()
  for (const [at, { id }] of broker.log.entries()) if (!first.has(id)) first.set(id, at)
  const inOrder = committed.filter(({ id }) => !died.has(id))
  const before = (one: Published, other: Published) =>
    one.key === other.key &&
    one.committedAt < other.begunAt &&
    (first.get(one.id) ?? 0) > (first.get(other.id) ?? 0)
  return inOrder.flatMap((one) =>
    inOrder.filter((other) => before(one, other)).map((other) => `${other.id} before ${one.id}`),
  )
}
