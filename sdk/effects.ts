import { type Clock, sleep } from './clock'
import type { EffectArguments, EffectOptions, EffectOutput, EffectReport, EffectResult } from './context'
import {
  EffectFailedError,
  IdempotencyUsageError,
  StaleHolderError,
  StoreUnavailableError,
  UnsettledEffectError,
} from './errors'
import type { Json } from './json'
import { deriveProviderKey } from './key-hash'
import type { EffectBeginning, EffectBegun, EffectEnd } from './stores/store'
import { startEffectSpan } from './telemetry/effect-span'

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
  signal: AbortSignal
  clock: Clock
  log: EffectLog
}

/** Begin → call → settle. Between begin and settle the step is *begun*: a crash there leaves an effect of unknown end. */
export async function doEffect<R extends Json>(
  scope: EffectScope,
  step: string,
  options: EffectOptions,
  call: (args: EffectArguments) => Promise<EffectOutput<R>>,
): Promise<EffectResult<R>> {
  requireName('step', step)
  requireName('effect name', options.name)
  const idempotencyKey = deriveProviderKey(scope.scope, scope.key, step)
  const { name, kind = 'http', providerKeyed = true } = options
  const begun = await scope.log.begin({
    step,
    name,
    kind,
    providerKey: providerKeyed ? idempotencyKey : null,
  })
  const span = () => startEffectSpan({ name, step, kind, scope: scope.scope, keyHash: scope.keyHash })
  if (begun.kind === 'committed') {
    const { kind: _, ...done } = begun
    span().end({ ...done, outcome: 'skipped' })
    return { ...done, result: done.result as R, replayed: true }
  }
  refuseUnlessBegun(begun, step)
  return callAndSettle(scope, step, options, () => call({ idempotencyKey, signal: scope.signal }), span())
}

function refuseUnlessBegun(begun: EffectBegun, step: string): void {
  if (begun.kind === 'stale')
    throw new StaleHolderError(`effect ${step} refused: this holder's fence is stale`)
  if (begun.kind === 'busy')
    throw new IdempotencyUsageError(`effect ${step} is already running: give each call its own step`)
  if (begun.kind === 'unsettled') {
    throw new UnsettledEffectError(
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
  let output: ReturnType<typeof normalize<R>>
  try {
    output = normalize(await span.run(call))
  } catch (error) {
    const failed = error instanceof EffectFailedError || (options.isFailure?.(error) ?? false)
    const state = failed ? 'failed' : 'unknown'
    span.end({ outcome: state }, error)
    // Unwritten, the step stays begun, which is as careful as unknown.
    await scope.log.settle(step, { state }).catch(() => {})
    throw error
  }
  span.end({ outcome: 'committed', ...output })
  const settled = await settlePersistently(scope, step, { state: 'committed', ...output })
  if (!settled) throw new StaleHolderError(`effect ${step} happened, but another holder has begun it since`)
  return { ...output, replayed: false }
}

const SETTLE_RETRY_DELAYS_MS = [50, 250]

/** The effect has happened: a short trouble of the store should not make it unknown. Saying it twice is harmless. */
async function settlePersistently(scope: EffectScope, step: string, end: EffectEnd): Promise<boolean> {
  for (const delayMs of SETTLE_RETRY_DELAYS_MS) {
    try {
      return await scope.log.settle(step, end)
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      await sleep(scope.clock, delayMs)
    }
  }
  return scope.log.settle(step, end)
}

export function reportEffect(scope: EffectScope, report: EffectReport): void {
  const { name, step, kind = 'http', outcome = 'committed', reference = null, currency = null } = report
  startEffectSpan({ name, step, kind, scope: scope.scope, keyHash: scope.keyHash }).end({
    outcome,
    reference,
    currency,
    amountMinor: toMinor(report.amountMinor),
  })
}

function normalize<R extends Json>(output: EffectOutput<R>) {
  return {
    reference: output.reference ?? null,
    amountMinor: toMinor(output.amountMinor),
    currency: output.currency ?? null,
    // Through JSON at once, so that the first attempt sees what a later one would.
    result: JSON.parse(JSON.stringify(output.result ?? null)) as R,
  }
}

const toMinor = (amount: bigint | number | null | undefined): bigint | null =>
  amount === null || amount === undefined ? null : BigInt(amount)

function requireName(what: string, name: string): void {
  if (!/^[\x21-\x7e]{1,100}$/.test(name))
    throw new IdempotencyUsageError(`a ${what} is 1 to 100 visible characters without spaces`)
}
