import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Consumer, consume } from '@/sdk/consume'
import { createOutbox, createRelay, type OutboxMessage, type Publisher } from '@/sdk/outbox'
import { drain, inTransaction, message, work } from '../outbox/fixture'
import { createStoreFixture, KEY_SECRET, type StoreFixture } from '../support'

// Random histories of one outbox, two relays, a broker that delivers at least once, and two consumers of a group: transactions that roll
// back, relays that die after publishing or lose their lanes while they publish, refusals, duplicates, reordering, redelivery of what was
// applied, and one message with both consumers at once. A seed that fails is its own reproduction.
const SEEDS = Array.from({ length: 25 }, (_, n) => n + 1)
const STEPS = 40

let fixture: StoreFixture
const outbox = createOutbox()
beforeAll(async () => {
  fixture = await createStoreFixture(6)
  await fixture.query('CREATE TABLE applied (message text NOT NULL)')
})
afterAll(() => fixture.close())

/** mulberry32. */
function seeded(seed: number) {
  let state = seed
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    random,
    below: (bound: number) => Math.floor(random() * bound),
    chance: (share: number) => random() < share,
  }
}

test.each(SEEDS)(
  'history %i has every committed message applied once, each key published in order',
  async (seed) => {
    const dice = seeded(seed)
    const topic = `history-${seed}`
    const committed: { id: string; key: string }[] = []
    const log: OutboxMessage[] = []
    /** Delivered, and not acknowledged. */
    const waiting: OutboxMessage[] = []
    let fault: 'none' | 'dies' | 'refuses' | 'loses its lanes' = 'none'

    const publisher: Publisher = {
      system: 'history',
      keepsOrder: dice.chance(0.5),
      async publish(messages) {
        const refused = new Set<string | null>()
        const results = messages.map((each) => {
          const refuses = fault === 'refuses' && dice.chance(0.4)
          if (refuses || refused.has(each.key)) {
            refused.add(each.key)
            return { kind: 'refused' as const, error: 'refused' }
          }
          log.push(each)
          waiting.push(each)
          return { kind: 'confirmed' as const }
        })
        if (fault === 'dies') throw new Error('the answer was lost')
        if (fault === 'loses its lanes') {
          fault = 'none'
          await fixture.query("UPDATE idem_outbox_lane SET lease_until = '-infinity'")
          await work(relays[1] as (typeof relays)[number])
        }
        return results
      },
    }
    const relays = ['one', 'two'].map((owner) =>
      createRelay({
        pool: fixture.pool,
        publisher,
        listen: false,
        batch: 8,
        owner,
        random: dice.random,
        attemptsMax: 1_000,
      }),
    )
    let failing = true
    const consumers: Consumer[] = ['a', 'b'].map((owner) =>
      consume<pg.PoolClient>(
        { store: fixture.store, group: 'history', topic, keySecret: KEY_SECRET, owner },
        async ({ id }, ctx) => {
          if (failing && dice.chance(0.2)) throw new Error('before its work')
          await ctx.transaction(async (tx) => {
            await tx.query('INSERT INTO applied VALUES ($1)', [id])
            if (failing && dice.chance(0.2)) throw new Error('within its work')
          })
          if (failing && dice.chance(0.2)) throw new Error('after its work')
        },
      ),
    )

    const steps = [
      async function publish() {
        const keys = Array.from({ length: 1 + dice.below(3) }, () => `k${dice.below(3)}`)
        const rollsBack = dice.chance(0.3)
        await inTransaction(fixture.pool, async (tx) => {
          const ids = await outbox.publishAll(
            tx,
            keys.map((key) => message('m', key, topic)),
          )
          if (rollsBack) throw new Error('rolled back')
          committed.push(...ids.map((id, at) => ({ id, key: keys[at] ?? '' })))
        }).catch(() => {})
      },
      async function relay() {
        fault = (['none', 'dies', 'refuses', 'loses its lanes'] as const)[dice.below(4)] ?? 'none'
        await work(relays[dice.below(2)] as (typeof relays)[number])
        fault = 'none'
        if (dice.chance(0.5)) await makeDue()
      },
      async function deliver() {
        const at = dice.below(waiting.length + 1)
        const one = waiting[at]
        if (one === undefined) return
        const chosen = dice.chance(0.3) ? consumers : [consumers[dice.below(2)] as Consumer]
        const ended = await Promise.all(chosen.map(({ handle }) => handle(one)))
        // The acknowledgement may be lost.
        if (ended.some(({ kind }) => kind === 'done') && dice.chance(0.7))
          waiting.splice(waiting.indexOf(one), 1)
      },
    ]
    const makeDue = () =>
      fixture.query("UPDATE idem_outbox SET retry_at = clock_timestamp() WHERE state = 'R'")

    for (let step = 0; step < STEPS; step++) await steps[dice.below(steps.length)]?.()
    failing = false
    const open = "SELECT FROM idem_outbox WHERE state NOT IN ('S', 'D') LIMIT 1"
    while ((await fixture.query(open)).length > 0) {
      await makeDue()
      await drain(relays[0] as (typeof relays)[number])
    }
    for (const one of waiting) while ((await (consumers[0] as Consumer).handle(one)).kind !== 'done');

    const applied = await fixture.query<{ message: string; times: number }>(
      'SELECT message, count(*)::int AS times FROM applied WHERE message = ANY ($1) GROUP BY 1',
      [log.map(({ id }) => id)],
    )
    expect(new Map(applied.map((each) => [each.message, each.times]))).toEqual(
      new Map(committed.map(({ id }) => [id, 1])),
    )
    for (const key of ['k0', 'k1', 'k2']) {
      const first = [...new Set(log.filter((each) => each.key === key).map(({ id }) => id))]
      expect(first).toEqual(committed.filter((each) => each.key === key).map(({ id }) => id))
    }
  },
)
