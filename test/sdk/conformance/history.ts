import { expect } from 'vitest'
import type { Holder, Store } from '@/sdk/stores/store'
import { acquireRequest, holderOf, okResponse } from '../support'
import { type Harness, OPERATOR, type Target } from './harness'

export const TURNS = 40

/** Mulberry32: 0 ≤ x < 1, the same for the same seed. */
export function createRandom(seed: number): () => number {
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

export class History {
  readonly world = new World()
  readonly trace: string[] = []
  private actors: Actor[] = []
  private turn = 0
  /** Fences of takeovers that found an effect whose end nobody knew. */
  private readonly unsettled = new Set<bigint>()
  private readonly steps: (typeof STEPS)[number][]
  private readonly target: Target
  /** The highest fence that anybody was told. */
  private newest = 0n
  /** Turns in which a takeover was told, and in which an operator last tried to release. */
  private takenOver = 0
  private released = -1

  constructor(
    private readonly harness: Harness,
    /** One a process. */
    private readonly stores: readonly Store[],
    private readonly key: string,
    private readonly random: () => number,
  ) {
    this.target = acquireRequest(key)
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

  /** What the engine wrote down, where it can: answers on different connections arrive in any order. */
  private async checkOrder(): Promise<void> {
    let newest = 0n
    for (const change of (await this.harness.changesOf?.(this.target)) ?? []) {
      const { fence } = change
      if (change.what === 'begun') {
        this.expect(fence === newest, 'only the newest holder begins an effect')
        continue
      }
      this.expect(fence > newest, 'each holder has a higher fence than all before')
      newest = fence
      this.expect(
        !this.unsettled.has(fence) || (change.fromState === 'R' && change.fromOwner === OPERATOR),
        'an unsettled effect is not taken over, unless an operator released it',
      )
    }
  }

  private get store(): Store {
    return this.pick(this.stores) ?? this.harness.store
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
    const { newest } = this
    const acquired = await this.store.acquire(request)
    this.note(`acquire ${acquired.kind}`)
    if (acquired.kind !== 'acquired' && acquired.kind !== 'takeover') return
    const holder = holderOf(request, acquired)
    this.expect(holder.fence > newest, 'each holder has a higher fence than all that were told before')
    if (holder.fence > this.newest) this.newest = holder.fence
    if (
      acquired.kind === 'takeover' &&
      acquired.steps.some(({ state }) => state === 'begun' || state === 'unknown')
    ) {
      this.unsettled.add(holder.fence)
      this.expect(this.released >= this.takenOver, 'an unsettled effect is not taken over unless released')
    }
    this.takenOver = this.turn
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
      const { newest } = this
      const wasCommitted = this.world.committed.has(name)
      const begun = await this.store.beginEffect(actor.holder, effect)
      this.note(`${actor.holder.fence} begin ${step.step}: ${begun.kind}`)
      this.expect(begun.kind !== 'begun' || actor.holder.fence >= newest, 'only the newest holder begins')
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
      const settled = await this.store.settleEffect(
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
    const completed = await this.store.complete(actor.holder, okResponse())
    this.note(`${actor.holder.fence} complete: ${completed === 'stale' ? 'stale' : 'done'}`)
    if (completed !== 'stale') this.world.complete(actor.life, actor.holder.fence)
    this.crash(actor)
  }

  private crash(actor: Actor): void {
    this.actors = this.actors.filter((other) => other !== actor)
  }

  private async end(actor: Actor, how: 'abandon' | 'giveBack'): Promise<void> {
    // A holder that has called and not settled cannot say how it ended: it only stops.
    const ended = actor.phase === 'begin' ? await this.store[how](actor.holder) : 'crashed'
    this.note(`${actor.holder.fence} ${how}: ${ended}`)
    this.crash(actor)
  }

  private async heartbeat(actor: Actor): Promise<void> {
    this.note(`${actor.holder.fence} heartbeat: ${await this.store.heartbeat(actor.holder, 20_000)}`)
  }

  /** Forwards past the lease, or back. */
  private async moveClock(): Promise<void> {
    const seconds = this.random() < 0.8 ? 30 : -10
    this.note(`clock ${seconds} s`)
    await this.harness.ageLease(this.target, seconds * 1_000)
  }

  private async release(): Promise<void> {
    this.released = this.turn
    this.note(`release: ${await this.harness.release(this.target)}`)
  }

  /** The record expires and is collected: the key begins a new life. */
  private async expireRecord(): Promise<void> {
    const gone = await this.harness.expireRecord(this.target)
    if (gone) this.world.life += 1
    this.note(`expire: ${gone}`)
  }
}
