import type { Span } from '@opentelemetry/api'
import { type Clock, sleep } from '../clock'
import {
  EffectFailedError,
  IdempotencyUsageError,
  StaleHolderError,
  StoreUnavailableError,
  UnsettledEffectError,
} from '../errors'
import { deriveProviderKey } from '../key-hash'
import type { EffectArguments, EffectOptions, EffectOutput, EffectReport, EffectResult } from '../run/context'
import type { EffectBeginning, EffectBegun, EffectEnd } from '../stores/store'
import { startEffectSpan } from '../telemetry/effect-span'
import { readOutput, type StorableOutput } from './effect-output'
import type { Json } from './json'

/** Where effects are noted: the store, or nowhere when nothing is protected. */
type EffectLog = {
  begin(effect: Omit<EffectBeginning, 'leaseMs'>): Promise<EffectBegun>
  settle(step: string, end: EffectEnd): Promise<boolean>
}

export type EffectScope = {
  scope: string
  /** Unkeyed requests have one of their own. */
  key: string
  /** As in telemetry; null when unkeyed. */
  keyHash: string | null
  /** Of the request. */
  span: Span
  signal: AbortSignal
  clock: Clock
  /** Tells the application's developers of a wrong use that must not fail the request. */
  warn(message: string): void
  log: EffectLog
}

/**
 * Begin → call → settle. Between begin and settle the step is *begun*: a crash there leaves an effect of unknown end.
 * Once the call has returned, the effect has happened: from there on nothing about its report may throw.
 */
export async function doEffect<R extends Json>(
  scope: EffectScope,
  step: string,
  options: EffectOptions,
  call: (args: EffectArguments) => Promise<EffectOutput<R>>,
): Promise<EffectResult<R>> {
  requireName('step', step)
  requireName('effect name', options.name)
  const firstKey = () => deriveProviderKey(scope.scope, scope.key, step)
  const { name, kind = 'http', providerKeyed = true } = options
  const begun = await scope.log.begin({ step, name, kind, providerKey: providerKeyed ? firstKey() : null })
  const span = () =>
    startEffectSpan({ name, step, kind, scope: scope.scope, keyHash: scope.keyHash, parent: scope.span })
  if (begun.kind === 'committed') {
    const { kind: _, ...done } = begun
    span().end({ ...done, outcome: 'skipped' })
    return { ...done, result: done.result as R, replayed: true }
  }
  if (begun.kind !== 'begun') throw refusal(begun, step)
  const args = {
    // Made when they are asked for: not everything that is called takes them.
    get idempotencyKey() {
      return begun.providerKey ?? firstKey()
    },
    get metadata() {
      return metadataOf(scope, step)
    },
    get signal() {
      return scope.signal
    },
  }
  return callAndSettle(scope, step, options, () => call(args), span())
}

function metadataOf({ scope, key, keyHash }: EffectScope, step: string): Record<string, string> {
  if (keyHash === null) return { idempotency_scope: scope, idempotency_step: step }
  return { idempotency_scope: scope, idempotency_key: key, idempotency_step: step }
}

function refusal(begun: Exclude<EffectBegun, { kind: 'begun' | 'committed' }>, step: string): Error {
  switch (begun.kind) {
    case 'stale':
      return new StaleHolderError(`effect ${step} refused: this holder's fence is stale`)
    case 'busy':
      return new IdempotencyUsageError(`effect ${step} is already running: give each call its own step`)
    case 'unsettled':
      return new UnsettledEffectError(
        `effect ${step} was begun before without a provider key and its end is unknown`,
      )
  }
}

async function callAndSettle<R extends Json>(
  scope: EffectScope,
  step: string,
  options: EffectOptions,
  call: () => Promise<EffectOutput<R>>,
  span: ReturnType<typeof startEffectSpan>,
): Promise<EffectResult<R>> {
  let reported: EffectOutput<R>
  try {
    reported = await span.run(call)
  } catch (error) {
    const state = isFailure(scope, options, error) ? 'failed' : 'unknown'
    span.end({ outcome: state }, error)
    // Unwritten, the step stays begun, which is as careful as unknown.
    await scope.log.settle(step, { state }).catch(() => {})
    throw error
  }
  const { output, leftOut } = readOutput(reported)
  if (leftOut.length > 0) {
    scope.warn(
      `effect ${step} happened, but parts of its report cannot be stored and were left out (${leftOut.join(', ')}): ` +
        'amountMinor is a whole number of minor units, reference a text, result must survive JSON',
    )
  }
  span.end({ outcome: 'committed', ...output })
  const settled = await settlePersistently(scope, step, output)
  if (!settled) throw new StaleHolderError(`effect ${step} happened, but another holder has begun it since`)
  return { ...output, result: output.result as R, replayed: false }
}

/** Only a plain yes counts. A promise is taken for no: as a yes it would let every unknown end be tried again. */
function isFailure(scope: EffectScope, options: EffectOptions, error: unknown): boolean {
  if (error instanceof EffectFailedError) return true
  try {
    const failed: unknown = options.isFailure?.(error) ?? false
    if (typeof failed !== 'boolean') scope.warn('isFailure must return true or false: it was taken for false')
    return failed === true
  } catch (cause) {
    scope.warn(`isFailure threw, and was taken for false: ${cause}`)
    return false
  }
}

const SETTLE_RETRY_DELAYS_MS = [50, 250]

/** The effect has happened: a short trouble of the store should not make it unknown. Saying it twice is harmless. */
async function settlePersistently(
  scope: EffectScope,
  step: string,
  output: StorableOutput,
): Promise<boolean> {
  const end = { state: 'committed', ...output } as const
  for (const delayMs of SETTLE_RETRY_DELAYS_MS) {
    try {
      return await settleOrReduce(scope, step, end)
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      await sleep(scope.clock, delayMs)
    }
  }
  return settleOrReduce(scope, step, end)
}

/** A report that the store refuses, for whatever reason, is written without its result: the fact is what counts. */
async function settleOrReduce(
  scope: EffectScope,
  step: string,
  end: Extract<EffectEnd, { state: 'committed' }>,
): Promise<boolean> {
  try {
    return await scope.log.settle(step, end)
  } catch (error) {
    if (error instanceof StoreUnavailableError || end.result === null) throw error
    scope.warn(`effect ${step} happened, but the store refused its result, which was left out: ${error}`)
    return scope.log.settle(step, { ...end, result: null })
  }
}

/** Never throws either: what it tells of has happened. */
export function reportEffect(scope: EffectScope, report: EffectReport): void {
  const { name, step, kind = 'http', outcome = 'committed' } = report
  const { output, leftOut } = readOutput(report)
  if (leftOut.length > 0) scope.warn(`the report of effect ${step} is not valid in: ${leftOut.join(', ')}`)
  startEffectSpan({ name, step, kind, scope: scope.scope, keyHash: scope.keyHash, parent: scope.span }).end({
    outcome,
    ...output,
  })
}

function requireName(what: string, name: string): void {
  if (!/^[\x21-\x7e]{1,100}$/.test(name))
    throw new IdempotencyUsageError(`a ${what} is 1 to 100 visible characters without spaces`)
}
