import type { Clock } from '../clock'
import { Prng } from '../prng'
import type { VictimPool } from '../processes/victim-pool'
import { type StoreName, storePrefixes } from '../stores/names'
import type { WriteTruth } from '../truth'
import { Client } from './client'
import type { TakingTurns } from './faults/registry'
import { habits, patiently } from './habits'
import type { MessageEyes } from './message-eyes'
import { operations } from './operations'
import { type PlannedOperation, planMessageFault, planOperation } from './plan'
import type { ProviderEyes } from './provider-eyes'
import { runFault } from './run-fault'

export interface TrafficOptions extends TakingTurns {
  readonly seed: string
  /** New operations a second. */
  readonly rate: number
  readonly faultRate: number
  readonly stores: readonly StoreName[]
  readonly serviceUrl: () => string
  readonly victims: VictimPool
  readonly provider: ProviderEyes
  readonly messages: MessageEyes
  readonly writeTruth: WriteTruth
  readonly clock: Clock
  /** Ends everything at once. */
  readonly signal: AbortSignal
}

export interface TrafficSummary {
  readonly operations: number
  readonly faults: number
  readonly failures: number
}

/**
 * More than this at once means that the machine is too busy: new operations wait, and what was missed is not caught
 * up. Pushing on would make faults that nobody planned.
 */
const inFlightMax = 40
const lagMaxMs = 1000
/** A script that has begun runs to its end, but not longer than this after the last operation. */
const drainMs = 30_000

/** Begins operations at an even rate until `until` resolves, then lets all that have begun come to their end. */
export async function runTraffic(options: TrafficOptions, until: Promise<void>): Promise<TrafficSummary> {
  const running = new Set<Promise<void>>()
  const everyday = new Set<Promise<void>>()
  const summary = { operations: 0, faults: 0, failures: 0 }
  let over = false
  const end = () => {
    over = true
  }
  const ended = until.then(end, end)
  const { clock } = options
  const begin = (operation: PlannedOperation) => {
    summary.operations += 1
    if (operation.fault !== undefined) summary.faults += 1
    const run = runOperation(options, operation).catch((error: unknown) => {
      if (options.signal.aborted) return
      summary.failures += 1
      console.error(`traffic: ${operation.fault ?? operation.kind} ${operation.reference}:`, error)
    })
    const sets = operation.fault === undefined ? [running, everyday] : [running]
    for (const set of sets) set.add(run)
    void run.then(() => {
      for (const set of sets) set.delete(run)
    })
  }
  let dueMs = clock.nowMs()
  for (let index = 0; !over && !options.signal.aborted; index += 1) {
    await Promise.race([ended, sleep(dueMs - clock.nowMs(), options.signal)])
    if (everyday.size >= inFlightMax) await Promise.race([ended, ...everyday])
    dueMs = Math.max(dueMs, clock.nowMs() - lagMaxMs) + 1000 / options.rate
    if (over || options.signal.aborted) break
    begin(planOperation(options, index))
    const beside = planMessageFault(options, index)
    if (beside !== undefined) begin(beside)
  }
  await Promise.race([Promise.all(running), sleep(drainMs, options.signal)])
  return summary
}

async function runOperation(options: TrafficOptions, operation: PlannedOperation): Promise<void> {
  const { serviceUrl, victims, provider, messages, signal } = options
  const jitter = new Prng(`${operation.seed}/jitter`)
  const { client: name, fault, kind } = operation
  // A script must come to its end, or it has made a fault that nobody planned.
  const isScript = fault !== undefined || kind === 'lost-response'
  const habit = isScript ? patiently(habits[name]) : habits[name]
  const prefix = storePrefixes[operation.store]
  const client = new Client({ name, habit, serviceUrl, prefix, random: () => jitter.next(), signal })
  const wait = async (delayMs: number) => {
    await sleep(delayMs, signal)
    signal.throwIfAborted()
  }
  if (fault === undefined) return operations[kind]({ operation, client, wait })
  return runFault(fault, { operation, client, victims, provider, messages, wait }, options)
}

/** Resolves early when the demo stops. */
function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, Math.max(0, delayMs))
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}
