import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { Account } from './accounts'
import type { Environment } from './environment'
import {
  approveCorrection,
  failRefund,
  proposeCorrection,
  reconcileNow,
  refundAtDashboard,
  refundByService,
} from './money'
import { operate } from './operator'
import { SimulatedProvider, setProvider } from './provider'
import { type Move, type Pace, PLAIN, type Script } from './script'
import { type Execution, type Order, type Service, startService } from './service'
import {
  allStrands,
  createProcess,
  forgetStrands,
  kill,
  type Process,
  resume,
  settle,
  spawn,
} from './strands'

/** What broke, in one sentence. It ends the history. */
export class Violation extends Error {
  override readonly name = 'Violation'
  constructor(
    /** Which invariant, for the shrinking: another one is another fault. */
    readonly invariant: string,
    message: string,
  ) {
    super(`${invariant}: ${message}`)
  }
}

export type KeyFacts = {
  /** Answers that a client was given and may rely on. */
  answers: { status: number; body: string }[]
  completedByOperator: boolean
  failedByOperator: boolean
}

/** Everything that one history is about. Names of keys carry the seed, so that histories never meet. */
export class World {
  readonly provider: SimulatedProvider
  readonly console: Process = createProcess('console')
  readonly services: Service[]
  readonly keys = new Map<string, KeyFacts>()
  readonly executions: Execution[] = []
  readonly unkeyed: { reference: string; status: number }[] = []
  readonly notes: string[] = []
  private broken: Violation | null = null

  constructor(
    readonly env: Environment,
    readonly script: Script,
  ) {
    this.provider = new SimulatedProvider(env.time, `seed-${script.seed}`)
    setProvider(this.provider)
    this.services = [0, 1].map((at) => this.start(`service ${at}`))
  }

  private start = (name: string): Service =>
    startService(name, {
      env: this.env,
      provider: this.provider,
      style: this.script.style,
      began: (execution) => this.began(execution),
    })

  keyName = (key: number): string => `k${this.script.seed}-${key}`

  factsOf(key: string): KeyFacts {
    const known = this.keys.get(key) ?? { answers: [], completedByOperator: false, failedByOperator: false }
    this.keys.set(key, known)
    return known
  }

  /** Found where it cannot be thrown to the one who checks. */
  break(invariant: string, message: string): void {
    this.broken ??= new Violation(invariant, message)
  }

  private began(execution: Execution): void {
    for (const other of this.executions) {
      const young = this.env.time.nowMs - other.startedMs < 29_000
      if (other.key !== execution.key || other.ended || other.excused || other.process.dead || !young)
        continue
      if (other.process.frozen) continue
      this.break(
        'one execution at a time',
        `${execution.key} is executed again while ${other.process.name} works on it`,
      )
    }
    this.executions.push(execution)
  }

  async perform(move: Move): Promise<void> {
    await this.begin(move)
    await this.settle()
    if (this.broken !== null) throw this.broken
  }

  private async begin(move: Move): Promise<void> {
    switch (move.do) {
      case 'pay':
        return this.pay(this.keyName(move.key), move)
      case 'pay_unkeyed':
        return this.pay(null, { ...move, card: 'good' })
      case 'continue': {
        const waiting = allStrands().filter(
          ({ waiting, process }) => waiting.length > 0 && !process.dead && !process.frozen,
        )
        const strand = waiting[move.nth % Math.max(1, waiting.length)]
        if (strand !== undefined) resume(strand, move.points)
        return
      }
      case 'kill': {
        this.services[move.process]?.kill()
        this.services[move.process] = this.start(`service ${move.process}`)
        return
      }
      case 'freeze':
      case 'thaw': {
        const service = this.services[move.process]
        if (service === undefined) return
        service.process.frozen = move.do === 'freeze'
        for (const execution of this.executions)
          if (execution.process === service.process) execution.excused = true
        return
      }
      case 'clock':
        return this.advance(move.seconds * 1000)
      case 'store_clock': {
        this.env.time.storeAheadMs = move.seconds * 1000
        for (const execution of this.executions) execution.excused = true
        return this.env.tellTime()
      }
      case 'operate':
        return this.run(`${move.verb} ${move.key}`, this.console, move, () =>
          operate(this, move.verb, this.keyName(move.key)),
        )
      case 'refund': {
        const service = this.services[move.process]
        if (service !== undefined)
          this.run(`refund ${move.how}`, service.process, move, () =>
            refundByService(this, service, move.nth, move),
          )
        return
      }
      case 'dashboard_refund':
        return refundAtDashboard(this, move.nth, move.amount)
      case 'bank_fails_refund':
        return failRefund(this, move.nth)
      case 'reconcile':
        // One run at a time, as the queue has it.
        if (allStrands().some(({ name, ended }) => name === 'reconcile' && !ended)) return
        return this.run('reconcile', this.console, move, () => reconcileNow(this))
      case 'ripen':
        for (const seconds of [6, 20]) {
          await this.advance(seconds * 1000)
          await this.begin({ do: 'reconcile', ...PLAIN })
          await this.settle()
        }
        return
      case 'propose':
        return this.run(`${move.by} proposes`, this.console, move, () =>
          proposeCorrection(this, move.nth, move.by),
        )
      case 'approve':
        return this.run(`${move.by} approves`, this.console, move, () =>
          approveCorrection(this, move.nth, move.by),
        )
      case 'console_clock':
        this.env.time.consoleAheadMs = move.seconds * 1000
        return this.env.tellTime()
      default:
        return move satisfies never
    }
  }

  private run(name: string, process: Process, { points, fault }: Pace, work: () => Promise<void>): void {
    spawn(name, process, { points, fault }, work, (error) => {
      this.notes.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      // A refusal, or trouble that was asked for. A bug of ours is neither.
      if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) {
        this.break('no bug', `${name}: ${error.stack}`)
      }
      if (error instanceof AppError) return
    })
  }

  private pay(key: string | null, move: Pace & { process: number; card: 'good' | 'declined' }): void {
    const service = this.services[move.process]
    if (service === undefined) return
    const reference = key ?? `unkeyed-${this.script.seed}-${this.unkeyed.length}`
    const unkeyed = { reference, status: 0 }
    if (key === null) this.unkeyed.push(unkeyed)
    const order: Order = {
      reference,
      amount: 1050,
      card: move.card === 'good' ? 'pm_card_visa' : 'pm_card_chargeDeclined',
    }
    this.run(`pay ${reference}`, service.process, move, async () => {
      const answer = await service.pay(key, order)
      this.notes.push(`${reference} answered ${answer.status} ${answer.body.slice(0, 80)}`)
      if (key === null) unkeyed.status = answer.status
      else if (answer.status === 201 || answer.status === 410) this.factsOf(key).answers.push(answer)
    })
  }

  private settle = (): Promise<void> => settle(this.env.lockWaiters)

  async advance(ms: number): Promise<void> {
    const untilMs = this.env.time.nowMs + ms
    while (this.env.time.nowMs < untilMs) {
      // What is on the way arrives in time.
      const stopMs = Math.min(untilMs, this.provider.nextArrivalMs() ?? untilMs)
      await this.env.time.advance(Math.max(0, stopMs - this.env.time.nowMs), this.settle, this.env.tellTime)
      this.provider.deliverLate()
      await this.settle()
    }
  }

  /** Everybody comes to an end: what waits goes on, and who sleeps wakes up. */
  async finish(): Promise<void> {
    for (const { process } of this.services) process.frozen = false
    this.provider.deliverLate(0)
    for (let round = 0; round < 500; round++) {
      await this.settle()
      if (this.broken !== null) throw this.broken
      const waiting = allStrands().find(({ waiting, process }) => waiting.length > 0 && !process.dead)
      if (waiting !== undefined) {
        resume(waiting, 10_000)
        continue
      }
      const ms = this.env.time.msToNextWaiter()
      if (ms === null) return
      await this.advance(Math.max(ms, 1))
    }
    throw new Violation('everything ends', 'somebody still waits')
  }

  /** The context of a person at the console. */
  as(account: Account): Context {
    const actor = {
      kind: 'user' as const,
      name: account,
      via: 'session' as const,
      ...this.env.accounts[account],
    }
    return { ...this.env.system, actor, requestId: `req_${account}` }
  }

  nthCharge(nth: number) {
    const charges = this.provider.charges().filter(({ status }) => status === 'succeeded')
    return charges[nth % Math.max(1, charges.length)]
  }

  serial = (): number => this.serials++
  private serials = 0

  close(): void {
    for (const service of this.services) service.kill()
    kill(this.console)
    forgetStrands()
    setProvider(null)
  }
}
