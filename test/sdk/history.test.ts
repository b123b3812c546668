import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Holder } from '@/sdk/stores/store'
import { acquireRequest, createStoreFixture, holderOf, okResponse, type StoreFixture } from './support'

const HISTORIES = 400
const TURNS = 40
const PARALLEL = 8
const SEED = 20_261_122
const OPERATOR = 'idemscope:test'

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture(PARALLEL * 2)
  await recordChanges()
})
afterAll(() => fixture.close())

/**
 * Writes down the order in which the store itself changed holders and began effects: answers on different connections
 * arrive in any order. A number is drawn while the lease's row is locked, so numbers have the order of the changes.
 */
const recordChanges = () =>
  fixture.query(`
    CREATE TABLE change (
      number bigserial PRIMARY KEY, key bytea NOT NULL, what text NOT NULL, fence bigint NOT NULL, from_state text,
      from_owner text
    );
    CREATE FUNCTION note_holder() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO change (key, what, fence, from_state, from_owner) SELECT NEW.key, 'holder', NEW.fence,
        CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, CASE WHEN TG_OP = 'UPDATE' THEN OLD.owner END;
      RETURN NULL;
    END $$;
    CREATE FUNCTION note_begun() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO change (key, what, fence) VALUES (NEW.key, 'begun', NEW.fence);
      RETURN NULL;
    END $$;
    CREATE TRIGGER held AFTER INSERT OR UPDATE OF fence ON idem_lease FOR EACH ROW EXECUTE FUNCTION note_holder();
    CREATE TRIGGER begun AFTER INSERT OR UPDATE OF fence ON idem_step FOR EACH ROW WHEN (NEW.state = 'B')
      EXECUTE FUNCTION note_begun();
    CREATE INDEX ON change (key, number)`)

type Change = {
  what: 'holder' | 'begun'
  fence: string
  from_state: string | null
  from_owner: string | null
}

/** Mulberry32: 0 ≤ x < 1, the same for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** One process that believes it holds the key; it does one thing a turn and may be long out of date. */
type Actor = {
  holder: Holder
  life: number
  at: number
  phase: 'begin' | 'call' | 'settle'
  end: 'committed' | 'failed'
}

const STEPS = [
  { step: 'charge', keyed: true },
  { step: 'notify', keyed: false },
] as const

/** The world outside: what really happened, by life of the key. */
class World {
  readonly effects = new Map<string, number>()
  readonly completions = new Map<number, Set<bigint>>()
  /** Steps that a holder has written down as committed. */
  readonly committed = new Set<string>()
  life = 1

  call(actor: Actor, step: (typeof STEPS)[number]): void {
    const name = `life ${actor.life}, ${step.step}`
    // A keyed provider answers a repeated key with the same object; the other one does it again.
    this.effects.set(name, step.keyed ? 1 : (this.effects.get(name) ?? 0) + 1)
  }

  complete(life: number, fence: bigint): void {
    this.completions.set(life, (this.completions.get(life) ?? new Set()).add(fence))
  }
}

class History {
  readonly world = new World()
  readonly trace: string[] = []
  private actors: Actor[] = []
  private turn = 0
  /** Fences of takeovers that found an effect whose end nobody knew. */
  private readonly unsettled = new Set<bigint>()
  private readonly steps: (typeof STEPS)[number][]

  constructor(
    private readonly key: string,
    private readonly random: () => number,
  ) {
    // A provider without keys blocks its key as soon as one end is unknown: only some histories have it.
    this.steps = STEPS.filter((step) => step.keyed || random() < 0.4)
  }

  private readonly pick = <T>(from: readonly T[]): T | undefined =>
    from[Math.floor(this.random() * from.length)]

  async run(): Promise<void> {
    for (this.turn = 0; this.turn < TURNS; this.turn += 1) {
      if (this.random() < 0.04) await this.expireRecord()
      // Up to three things happen at the same time, on connections of their own.
      const moves = Array.from({ length: 1 + Math.floor(this.random() * 3) }, () => this.chooseMove())
      const acting = new Set<Actor>()
      await Promise.all(
        moves.map(({ move, actor }) => {
          if (actor !== undefined && acting.has(actor)) return undefined
          if (actor !== undefined) acting.add(actor)
          return move()
        }),
      )
      for (const [effect, count] of this.world.effects) {
        expect(count, `${effect} of ${this.key}\n${this.trace.join('\n')}`).toBeLessThanOrEqual(1)
      }
      for (const [life, fences] of this.world.completions) {
        expect(fences.size, `completions of life ${life} of ${this.key}\n${this.trace.join('\n')}`).toBe(1)
      }
    }
    await this.checkOrder()
  }

  private async checkOrder(): Promise<void> {
    let newest = 0n
    const changes = await fixture.query<Change>(
      'SELECT what, fence, from_state, from_owner FROM change WHERE key = idem_key_bytes($1) ORDER BY number',
      [this.key],
    )
    for (const change of changes) {
      const fence = BigInt(change.fence)
      if (change.what === 'begun') {
        this.expect(fence === newest, 'only the newest holder begins an effect')
        continue
      }
      this.expect(fence > newest, 'each holder has a higher fence than all before')
      newest = fence
      this.expect(
        !this.unsettled.has(fence) || (change.from_state === 'R' && change.from_owner === OPERATOR),
        'an unsettled effect is not taken over, unless an operator released it',
      )
    }
  }

  private chooseMove(): { move: () => Promise<void>; actor?: Actor } {
    const roll = this.random()
    const actor = this.pick(this.actors)
    if (roll < 0.12) return { move: () => this.release() }
    if (roll < 0.28 || actor === undefined) return { move: () => this.acquire() }
    if (roll < 0.8) return { move: () => this.advance(actor), actor }
    if (roll < 0.83) return { move: async () => this.crash(actor), actor }
    if (roll < 0.85) return { move: () => this.end(actor, 'abandon'), actor }
    if (roll < 0.87) return { move: () => this.end(actor, 'giveBack'), actor }
    if (roll < 0.9) return { move: () => this.heartbeat(actor), actor }
    return { move: () => this.moveClock() }
  }

  private expect(holds: boolean, what: string): void {
    expect(holds, `${what}; ${this.key}\n${this.trace.join('\n')}`).toBe(true)
  }

  private note(what: string): void {
    this.trace.push(`${this.turn}: ${what}`)
  }

  private async acquire(): Promise<void> {
    const request = acquireRequest(this.key, { leaseMs: 20_000 })
    const { life } = this.world
    const acquired = await fixture.store.acquire(request)
    this.note(`acquire ${acquired.kind}`)
    if (acquired.kind !== 'acquired' && acquired.kind !== 'takeover') return
    const holder = holderOf(request, acquired)
    if (
      acquired.kind === 'takeover' &&
      acquired.steps.some(({ state }) => state === 'begun' || state === 'unknown')
    )
      this.unsettled.add(holder.fence)
    this.actors.push({
      holder,
      life,
      at: 0,
      phase: 'begin',
      end: this.random() < 0.15 ? 'failed' : 'committed',
    })
  }

  private async advance(actor: Actor): Promise<void> {
    const step = this.steps[actor.at]
    if (step === undefined) return this.complete(actor)
    if (actor.phase === 'begin') {
      const providerKey = step.keyed ? `${this.key}/${step.step}` : null
      const effect = { step: step.step, name: step.step, kind: 'http', providerKey, leaseMs: 20_000 } as const
      const name = `life ${actor.life}, ${step.step}`
      const wasCommitted = this.world.committed.has(name)
      const begun = await fixture.store.beginEffect(actor.holder, effect)
      this.note(`${actor.holder.fence} begin ${step.step}: ${begun.kind}`)
      this.expect(begun.kind !== 'begun' || !wasCommitted, 'a committed effect is not begun again')
      if (begun.kind === 'begun') actor.phase = 'call'
      else if (begun.kind === 'committed') actor.at += 1
      else if (begun.kind === 'unsettled') await this.end(actor, 'abandon')
      else this.crash(actor)
    } else if (actor.phase === 'call') {
      this.note(`${actor.holder.fence} call ${step.step}: ${actor.end}`)
      if (actor.end === 'committed') this.world.call(actor, step)
      actor.phase = 'settle'
    } else {
      const done = {
        state: 'committed',
        reference: 'r',
        amountMinor: null,
        currency: null,
        result: null,
      } as const
      const settled = await fixture.store.settleEffect(
        actor.holder,
        step.step,
        actor.end === 'failed' ? { state: 'failed' } : done,
      )
      this.note(`${actor.holder.fence} settle ${step.step}: ${settled}`)
      if (!settled) return this.crash(actor)
      if (actor.end === 'committed') this.world.committed.add(`life ${actor.life}, ${step.step}`)
      if (actor.end === 'failed') return this.end(actor, 'abandon')
      Object.assign(actor, { at: actor.at + 1, phase: 'begin' })
    }
  }

  private async complete(actor: Actor): Promise<void> {
    const completed = await fixture.store.complete(actor.holder, okResponse())
    this.note(`${actor.holder.fence} complete: ${completed === 'stale' ? 'stale' : 'done'}`)
    if (completed !== 'stale') this.world.complete(actor.life, actor.holder.fence)
    this.crash(actor)
  }

  private crash(actor: Actor): void {
    this.actors = this.actors.filter((other) => other !== actor)
  }

  private async end(actor: Actor, how: 'abandon' | 'giveBack'): Promise<void> {
    // A holder that has called and not settled cannot say how it ended: it only stops.
    const ended = actor.phase === 'begin' ? await fixture.store[how](actor.holder) : 'crashed'
    this.note(`${actor.holder.fence} ${how}: ${ended}`)
    this.crash(actor)
  }

  private async heartbeat(actor: Actor): Promise<void> {
    this.note(`${actor.holder.fence} heartbeat: ${await fixture.store.heartbeat(actor.holder, 20_000)}`)
  }

  /** Forwards past the lease, or back. */
  private async moveClock(): Promise<void> {
    const seconds = this.random() < 0.8 ? 30 : -10
    this.note(`clock ${seconds} s`)
    await fixture.query(
      `UPDATE idem_lease SET lease_until = lease_until - $2 * interval '1 second' WHERE key = idem_key_bytes($1)`,
      [this.key, seconds],
    )
  }

  /** As the console does it: a compare-and-set on what was seen. */
  private async release(): Promise<void> {
    const released = await fixture.query(
      `UPDATE idem_lease l SET state = 'R', fence = idem_next_fence(l.fence), lease_until = clock_timestamp(),
        owner = '${OPERATOR}'
       WHERE key = idem_key_bytes($1) AND (state = 'U' OR lease_until < clock_timestamp()) RETURNING fence`,
      [this.key],
    )
    this.note(`release: ${released.length}`)
  }

  /** The record expires and is collected: the key begins a new life. */
  private async expireRecord(): Promise<void> {
    const gone = await fixture.query(
      `WITH body AS (DELETE FROM idem_body WHERE key = idem_key_bytes($1))
       DELETE FROM idem_record WHERE key = idem_key_bytes($1) RETURNING fence`,
      [this.key],
    )
    if (gone.length > 0) this.world.life += 1
    this.note(`expire: ${gone.length}`)
  }
}

it(`finds no second effect of one step in ${HISTORIES} random histories`, { timeout: 400_000 }, async () => {
  const startedMs = performance.now()
  const totals = { turns: 0, completions: 0, takeovers: 0, unknown: 0, stale: 0, effects: 0 }
  let next = 0
  const worker = async () => {
    while (next < HISTORIES) {
      const seed = next++
      const history = new History(`history-${seed}`, createRandom(SEED + seed))
      await history.run()
      totals.turns += TURNS
      totals.effects += history.world.effects.size
      totals.completions += history.world.completions.size
      totals.takeovers += history.trace.filter((line) => line.endsWith('takeover')).length
      totals.unknown += history.trace.filter((line) => line.endsWith('unknown')).length
      totals.stale += history.trace.filter((line) => /stale|false$/.test(line)).length
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  console.log(
    `histories: ${HISTORIES} at seed ${SEED} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
    totals,
  )
  // The histories must have been where it hurts.
  for (const count of Object.values(totals)) expect(count).toBeGreaterThan(HISTORIES / 4)
})
