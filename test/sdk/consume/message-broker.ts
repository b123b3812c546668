import type { Prng } from '@/demo/prng'
import { createRelay, type OutboxMessage, type Publisher, type PublishResult, type Relay } from '@/sdk/outbox'
import type { createManualClock, StoreFixture } from '../support'

type ManualClock = ReturnType<typeof createManualClock>

type Trouble = 'none' | 'answer lost' | 'refuses' | 'loses its lanes' | 'is killed'
const TROUBLES: readonly (readonly [Trouble, number])[] = [
  ['none', 4],
  ['answer lost', 1],
  ['refuses', 5],
  ['loses its lanes', 1],
  ['is killed', 1],
]
/** Longer than a relay waits before it raises where it reads from. */
const LOOK_EVERY_MS = 300
/** So few that messages die in short histories. */
const ATTEMPTS_MAX = 2

/** A broker that takes messages in order and delivers at least once, and the relays before it with what befalls them. */
export class Broker {
  /** In the order of arrival, with what came twice. */
  readonly log: OutboxMessage[] = []
  /** Delivered or to be delivered, and not acknowledged. */
  readonly waiting: OutboxMessage[] = []
  private trouble: Trouble = 'none'
  private readonly relays: [Relay, Relay]
  /** A relay that stands still after publishing; it may come back. */
  private standing: (() => void) | null = null
  private killed: () => void = () => {}

  constructor(
    private readonly fixture: StoreFixture,
    private readonly random: Prng,
    private readonly clock: ManualClock,
  ) {
    const publisher: Publisher = {
      system: 'history',
      keepsOrder: random.next() < 0.5,
      publish: (messages) => this.take(messages),
    }
    const start = (owner: string) =>
      createRelay({
        pool: fixture.pool,
        publisher,
        listen: false,
        batch: 8,
        owner,
        clock: clock.clock,
        random: () => random.next(),
        attemptsMax: ATTEMPTS_MAX,
      })
    this.relays = [start('one'), start('two')]
  }

  acknowledge(message: OutboxMessage): void {
    const at = this.waiting.indexOf(message)
    if (at >= 0) this.waiting.splice(at, 1)
  }

  /** A round of a relay, with trouble on its way. */
  async relay(): Promise<void> {
    // Time goes on, as far as relays go by it; whatever waits for a timer is not woken.
    this.clock.skip(LOOK_EVERY_MS)
    this.trouble = this.random.pick(TROUBLES)
    const isKilled = new Promise<void>((resolve) => {
      this.killed = resolve
    })
    await Promise.race([this.relays[this.random.int(0, 1)]?.runOnce(), isKilled])
    this.trouble = 'none'
    if (this.random.next() < 0.5) await this.makeDue()
    if (this.random.next() < 0.5) await this.freeLanes()
  }

  publishOnce(): Promise<unknown> {
    this.clock.skip(LOOK_EVERY_MS)
    return this.relays[0].runOnce()
  }

  /** What failed is due now; the time of the database stands still otherwise. */
  makeDue = () => this.fixture.query("UPDATE idem_outbox SET retry_at = clock_timestamp() WHERE state = 'R'")

  /** The lease of a relay that was killed runs out. */
  freeLanes = () => this.fixture.query("UPDATE idem_outbox_lane SET lease_until = '-infinity'")

  /** A relay that had stood still goes on, and marks what it had published long ago. */
  wake(): void {
    this.standing?.()
    this.standing = null
  }

  calm(): void {
    this.trouble = 'none'
    this.wake()
    void this.freeLanes()
  }

  private async take(messages: readonly OutboxMessage[]): Promise<PublishResult[]> {
    const trouble = this.trouble
    const refused = new Set<string | null>()
    const results = messages.map((each): PublishResult => {
      if (refused.has(each.key) || (trouble === 'refuses' && this.random.next() < 0.6)) {
        refused.add(each.key)
        return { kind: 'refused', error: 'refused' }
      }
      this.log.push(each)
      this.waiting.push(each)
      return { kind: 'confirmed' }
    })
    if (trouble === 'answer lost') throw new Error('the answer was lost')
    if (trouble === 'loses its lanes') {
      this.trouble = 'none'
      await this.freeLanes()
      await this.relays[1].runOnce()
    }
    if (trouble === 'is killed') {
      this.wake()
      this.trouble = 'none'
      this.killed()
      await new Promise<void>((resolve) => {
        this.standing = resolve
      })
    }
    return results
  }
}
