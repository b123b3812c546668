import type pg from 'pg'
import type { Prng } from '@/demo/prng'
import { type Consumer, consume, type Disposition } from '@/sdk/consume'
import { StoreUnavailableError } from '@/sdk/errors'
import { createOutbox } from '@/sdk/outbox'
import { message } from '../outbox/fixture'
import { createManualClock, KEY_SECRET, type StoreFixture } from '../support'
import { Broker } from './message-broker'

const KEYS = 3
const outbox = createOutbox()

export type Published = {
  id: string
  key: string
  /** Positions in the history: of two messages whose transactions followed each other the order is known. */
  begunAt: number
  committedAt: number
}

/** Everything that one history of messages is about: what was committed, what the broker was given, what came of it. */
export class MessageWorld {
  readonly committed: Published[] = []
  readonly rolledBack: string[] = []
  readonly discarded = new Set<string>()
  /** Dead at some time: others of its key have gone on without it. */
  readonly died = new Set<string>()
  /** Delivered when its record had expired: it may be applied once more. */
  readonly expired = new Set<string>()
  /** Mails by the provider's key: what a key sent once is answered and not sent again. */
  readonly mails = new Map<string, string>()
  readonly sent: string[] = []
  readonly broker: Broker
  readonly clock = createManualClock()
  private readonly open: { client: pg.PoolClient; messages: Omit<Published, 'committedAt'>[] }[] = []
  private consumers: Consumer[]
  /** Ends of executions that a crash left hanging. */
  private readonly hanging: (() => void)[] = []
  private moves = 0
  private incarnations = 0
  private calm = false

  constructor(
    readonly fixture: StoreFixture,
    readonly topic: string,
    readonly random: Prng,
  ) {
    this.broker = new Broker(fixture, random, this.clock)
    this.consumers = [this.startConsumer(), this.startConsumer()]
  }

  chance = (share: number) => !this.calm && this.random.next() < share
  private one = <T>(items: readonly T[]): T | undefined =>
    items.length === 0 ? undefined : items[this.random.int(0, items.length - 1)]

  /** A transaction publishes, and commits, rolls back, or stays open behind younger ones. */
  async publish(): Promise<void> {
    this.moves += 1
    const client = await this.fixture.pool.connect()
    await client.query('BEGIN')
    const keys = Array.from({ length: this.random.int(1, 3) }, () => `k${this.random.int(1, KEYS)}`)
    const ids = await outbox.publishAll(
      client,
      keys.map((key) => message('m', key, this.topic)),
    )
    this.open.push({
      client,
      messages: ids.map((id, at) => ({ id, key: keys[at] ?? '', begunAt: this.moves })),
    })
    // Two at most stay open: each has a connection.
    if (this.open.length > 2 || !this.chance(0.2)) await this.endTransaction(this.open.length - 1)
  }

  async endTransaction(at = this.random.int(0, this.open.length)): Promise<void> {
    const [transaction] = this.open.splice(at, 1)
    if (transaction === undefined) return
    this.moves += 1
    const { client, messages } = transaction
    const rollsBack = this.chance(0.25)
    await client.query(rollsBack ? 'ROLLBACK' : 'COMMIT')
    client.release()
    if (rollsBack) this.rolledBack.push(...messages.map(({ id }) => id))
    else this.committed.push(...messages.map((each) => ({ ...each, committedAt: this.moves })))
  }

  async deliver(): Promise<void> {
    const delivery = this.one(this.broker.waiting)
    if (delivery === undefined) return
    const chosen = this.chance(0.3) ? this.consumers : [this.one(this.consumers) as Consumer]
    // A consumer that crashed answers nobody: the broker hears of a broken connection.
    const ended = await Promise.all(
      chosen.map((consumer) => Promise.race([consumer.handle(delivery), this.crashOf(consumer)])),
    )
    // The acknowledgement may be lost.
    if (ended.some((end) => end?.kind === 'done') && !this.chance(0.3)) this.broker.acknowledge(delivery)
  }

  /** The broker delivers once more what was applied and acknowledged long ago. */
  redeliver(): void {
    const old = this.one(this.broker.log)
    if (old !== undefined) this.broker.waiting.push(old)
  }

  /** Leases of consumers that died run out. */
  expireLeases = () =>
    this.fixture.query(
      `UPDATE idem_lease SET lease_until = clock_timestamp() - interval '1 second',
         heartbeat_at = heartbeat_at - interval '1 minute' WHERE state = 'L'`,
    )

  /** A person settles what nobody knows the end of: it may be tried again, with the same key at the provider. */
  settle = () => this.fixture.query("UPDATE idem_lease SET state = 'R', fence = fence + 1 WHERE state = 'U'")

  /** The record of what was applied is collected, and the provider forgets its key. */
  async expireRecord(): Promise<void> {
    const old = this.one(this.broker.log)
    if (old === undefined) return
    const gone = await this.fixture.query(
      `WITH body AS (DELETE FROM idem_body WHERE key = idem_key_bytes($1))
       DELETE FROM idem_record WHERE key = idem_key_bytes($1) RETURNING 1`,
      [old.id],
    )
    if (gone.length === 0) return
    this.expired.add(old.id)
    for (const [key, id] of this.mails) if (id === old.id) this.mails.delete(key)
  }

  /** A person sends a dead message again, or ends it. */
  async redrive(): Promise<void> {
    const dead = await this.noteDead()
    const one = this.one(dead)
    if (one === undefined) return
    if (this.chance(0.4)) {
      await this.fixture.query('SELECT idem_outbox_discard($1, $2, $3)', [one.id, one.version, 'act_1'])
      this.discarded.add(one.id)
    } else await this.fixture.query('SELECT idem_outbox_redrive($1, $2, $3)', [one.id, one.version, 'act_1'])
  }

  async noteDead(): Promise<{ id: string; version: string }[]> {
    const dead = await this.fixture.query<{ id: string; version: string }>(
      "SELECT id, idem_outbox_version(o) AS version FROM idem_outbox o WHERE topic = $1 AND state = 'D' ORDER BY seq",
      [this.topic],
    )
    for (const { id } of dead) this.died.add(id)
    return dead
  }

  /** No more trouble: all transactions end, all that is due is published, delivered, settled and applied. */
  async finish(): Promise<void> {
    this.calm = true
    this.broker.calm()
    while (this.open.length > 0) await this.endTransaction(0)
    for (let round = 0; (await this.isUnsent()) || this.broker.waiting.length > 0; round += 1) {
      if (round > 200)
        throw new Error(
          `${this.topic} does not come to an end: unsent or not applied are ${await this.unfinished()}`,
        )
      await this.noteDead()
      await this.broker.makeDue()
      await this.broker.publishOnce()
      await this.expireLeases()
      await this.settle()
      for (const each of [...this.broker.waiting]) {
        const { kind } = await (this.consumers[0] as Consumer).handle(each)
        if (kind === 'done') this.broker.acknowledge(each)
      }
    }
    await this.noteDead()
    for (const end of this.hanging) end()
  }

  applied = () =>
    this.fixture.query<{ message: string; times: number }>(
      'SELECT message, count(*)::int AS times FROM applied WHERE topic = $1 GROUP BY 1',
      [this.topic],
    )

  private unsent = () =>
    this.fixture.query<{ id: string }>(
      "SELECT id FROM idem_outbox WHERE topic = $1 AND state IN ('P', 'R', 'W')",
      [this.topic],
    )
  private isUnsent = async (): Promise<boolean> => (await this.unsent()).length > 0
  private unfinished = async (): Promise<string> =>
    [...(await this.unsent()), ...this.broker.waiting].map(({ id }) => id).join(', ')

  private readonly crashes = new Map<Consumer, Promise<undefined>>()
  private crashOf = (consumer: Consumer): Promise<Disposition | undefined> =>
    this.crashes.get(consumer) ?? Promise.resolve(undefined)

  /** A process of the group. Killed, it never reaches the store again, and another takes its place. */
  private startConsumer(): Consumer {
    const { store } = this.fixture
    let dead = false
    let crashed: () => void = () => {}
    const crash = new Promise<undefined>((resolve) => {
      crashed = () => resolve(undefined)
    })
    const reach =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      (...args: A): Promise<R> =>
        dead ? Promise.reject(new StoreUnavailableError('its process was killed')) : call(...args)
    const own = {
      ...store,
      acquire: reach(store.acquire),
      abandon: reach(store.abandon),
      beginEffect: reach(store.beginEffect),
      settleEffect: reach(store.settleEffect),
      complete: reach(store.complete),
      heartbeat: reach(store.heartbeat),
    }
    const die = async (share: number) => {
      if (!this.chance(share)) return
      dead = true
      this.consumers = this.consumers.map((each) => (each === consumer ? this.startConsumer() : each))
      crashed()
      // What was killed goes no further while the history lasts.
      await new Promise<void>((resolve) => this.hanging.push(resolve))
      throw new Error('its process was killed')
    }
    const fail = (share: number, where: string) => {
      if (this.chance(share)) throw new Error(where)
    }
    const consumer = consume<pg.PoolClient>(
      {
        store: own,
        group: 'history',
        topic: this.topic,
        keySecret: KEY_SECRET,
        owner: `consumer-${this.incarnations++}`,
        clock: this.clock.clock,
        random: () => this.random.next(),
      },
      async ({ id }, ctx) => {
        fail(0.1, 'before its work')
        await die(0.08)
        await ctx.effect('mail', { name: 'mail.send' }, async ({ idempotencyKey }) => {
          if (!this.mails.has(idempotencyKey)) {
            this.mails.set(idempotencyKey, id)
            this.sent.push(id)
          }
          await die(0.08)
          fail(0.1, 'the answer was lost')
          return { reference: `em_${id}` }
        })
        await die(0.08)
        await ctx.transaction(async (tx) => {
          await tx.query('INSERT INTO applied VALUES ($1, $2)', [id, this.topic])
          fail(0.1, 'within its work')
        })
        fail(0.1, 'after its work')
      },
    )
    this.crashes.set(consumer, crash)
    return consumer
  }
}
