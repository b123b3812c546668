import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { Account } from '../environment/accounts'
import type { Environment } from '../environment/environment'
import { SimulatedProvider, setProvider } from '../environment/provider'
import {
  allStrands,
  createProcess,
  forgetStrands,
  kill,
  type Process,
  resume,
  settle,
  spawn,
} from '../environment/strands'
import { Violation } from '../invariants/violation'
import type { Pace, Script } from '../scripts/script'
import { FLOOD_CAP } from './flood'
import { Hands } from './hands'
import { HoldWatch } from './holds'
import { OwedMoney } from './owed'
import { PreparedTransactions, settleAllPrepared } from './prepared'
import { RECONCILE_SETTINGS } from './reconciliation'
import { bookRide } from './rides'
import { type Execution, type Order, type Service, startService } from './service'

export type KeyFacts = {
  /** Answers that a client was given and may rely on. */
  answers: { status: number; body: string }[]
  completedByOperator: boolean
  failedByOperator: boolean
  /** A policy with an exception may collect it early. */
  mayBeExcepted: boolean
}

const newFacts = (key: string): KeyFacts => ({
  ...{ answers: [], completedByOperator: false, failedByOperator: false },
  mayBeExcepted: key.startsWith('ride'),
})

/** Everything that one history is about. Names of keys carry the seed, so that histories never meet. */
export class World {
  readonly provider: SimulatedProvider
  readonly console: Process = createProcess('console')
  readonly services: Service[]
  readonly keys = new Map<string, KeyFacts>()
  readonly executions: Execution[] = []
  readonly unkeyed: { reference: string; status: number }[] = []
  readonly notes: string[] = []
  readonly owed = new OwedMoney()
  readonly prepared: PreparedTransactions
  /** Who gets into which account, where that changes. */
  readonly hands: Hands | null
  /** null = nobody holds anything. */
  readonly watch: HoldWatch | null
  /** Keys under which a service has charged again on purpose. */
  readonly chargedTwice = new Set<string>()
  /** Requests whose body did not fit their key, of which the telemetry is on its way. */
  readonly mismatched: { key: string; atMs: number }[] = []
  /** What a fail-over has taken from the books: ids and references. */
  readonly lostPostings = new Set<string>()
  readonly floodCap: number
  /** Two people agreed in words that keys of rides may go early. */
  excepted = false
  /** Somebody or something acts at the console in this history. */
  consoleActs = false
  private broken: Violation | null = null

  constructor(
    readonly env: Environment,
    readonly script: Script,
  ) {
    this.provider = new SimulatedProvider(env.time, `seed-${script.seed}`)
    setProvider(this.provider)
    this.prepared = new PreparedTransactions(`${env.name}-${script.seed}`)
    this.hands = script.about === 'accounts' ? new Hands(env) : null
    this.watch = script.about === 'holds' ? new HoldWatch() : null
    this.floodCap = script.about === 'flood' ? FLOOD_CAP : RECONCILE_SETTINGS.floodCap
    this.services = [0, 1].map((at) => this.start(`service ${at}`))
  }

  start = (name: string): Service =>
    startService(name, {
      env: this.env,
      provider: this.provider,
      style: this.script.style,
      prepared: this.prepared,
      began: (execution) => this.began(execution),
      watch: this.watch,
    })

  keyName = (key: number): string => `k${this.script.seed}-${key}`

  factsOf(key: string): KeyFacts {
    const known = this.keys.get(key) ?? newFacts(key)
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
      if (other.process.frozen || execution.excused) continue
      this.break(
        'one execution at a time',
        `${execution.key} is executed again while ${other.process.name} works on it`,
      )
    }
    this.executions.push(execution)
  }

  /** Ends the history at what was found where it could not be thrown. */
  demandWhole(): void {
    if (this.broken !== null) throw this.broken
  }

  run(name: string, process: Process, { points, fault }: Pace, work: () => Promise<void>): void {
    this.consoleActs ||= process === this.console
    spawn(name, process, { points, fault }, work, (error) => {
      this.notes.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      // A refusal, or trouble that was asked for. A bug of ours is neither.
      if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) {
        this.break('no bug', `${name}: ${error.stack}`)
      }
      if (error instanceof AppError) return
    })
  }

  pay(
    key: string | null,
    move: Pace & { process: number; card: 'good' | 'declined'; amount?: number },
  ): void {
    const service = this.services[move.process]
    if (service === undefined) return
    const reference = key ?? `unkeyed-${this.script.seed}-${this.unkeyed.length}`
    const unkeyed = { reference, status: 0 }
    if (key === null) this.unkeyed.push(unkeyed)
    const order: Order = {
      reference,
      amount: move.amount ?? 1050,
      card: move.card === 'good' ? 'pm_card_visa' : 'pm_card_chargeDeclined',
    }
    this.run(`pay ${reference}`, service.process, move, async () => {
      const failOvers = this.failOversToCopy
      const wasDone = key !== null && this.factsOf(key).answers.length > 0
      const answer = await service.pay(key, order, wasDone)
      this.notes.push(`${reference} answered ${answer.status} ${answer.body.slice(0, 80)}`)
      if (answer.status === 422 && key !== null && this.script.about === 'flood')
        this.mismatched.push({ key, atMs: this.env.time.nowMs })
      if (failOvers !== this.failOversToCopy) return
      if (key === null) unkeyed.status = answer.status
      else if (answer.status === 201 || answer.status === 410) this.factsOf(key).answers.push(answer)
    })
  }

  ride(key: string, move: Pace & { process: number }): void {
    const service = this.services[move.process]
    if (service === undefined) return
    this.run(key, service.process, move, async () => {
      const answer = await bookRide(service, key)
      this.notes.push(`${key} answered ${answer.status} ${answer.body}`)
      if (answer.status === 201) this.factsOf(key).answers.push(answer)
    })
  }

  async copyStore(): Promise<void> {
    await this.env.copyStore()
    this.copied = structuredClone({ keys: this.keys, unkeyed: this.unkeyed })
  }

  /** What somebody was told since the copy, or of a request that was under way, is lost with it. */
  async failOver(toCopy: boolean): Promise<void> {
    const { copied } = this
    const processes = [this.console, ...this.services.map(({ process }) => process)]
    const clients = processes.flatMap((process) => [...process.clients])
    const isCompared = this.script.about === 'fail_over'
    const before = isCompared ? await this.readPostings() : []
    await this.env.failOver(clients, toCopy && copied !== null, { sequences: isCompared })
    const kept = new Set(isCompared ? await this.readPostings() : [])
    for (const each of before) if (!kept.has(each)) this.lostPostings.add(each)
    for (const execution of this.executions) execution.excused = true
    if (!toCopy || copied === null) return
    this.failOversToCopy += 1
    for (const key of this.keys.keys())
      this.keys.set(key, structuredClone(copied.keys.get(key)) ?? newFacts(key))
    for (const [place, each] of this.unkeyed.entries()) each.status = copied.unkeyed[place]?.status ?? 0
  }

  /** The ids and references of what is booked. */
  private async readPostings(): Promise<string[]> {
    const { rows } = await this.env.admin.query('SELECT provider_ref, reference FROM ledger_entry')
    return rows.flatMap(({ provider_ref, reference }) => [provider_ref, reference])
  }

  private copied: Pick<World, 'keys' | 'unkeyed'> | null = null
  failOversToCopy = 0

  settle = settle

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
      if (await settleAllPrepared(this)) continue
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
    if (this.hands !== null) return this.hands.click(account)
    if (account === 'carl') throw new AppError('forbidden', 'nobody has invited Carl')
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
    const rests = (process: Process) =>
      allStrands().every((strand) => strand.process !== process || (strand.ended && strand.inFlight === 0))
    for (const service of this.services) {
      if (rests(service.process)) service.rest()
      else service.kill()
    }
    if (rests(this.console)) this.console.dead = true
    else kill(this.console)
    forgetStrands()
    setProvider(null)
  }
}
