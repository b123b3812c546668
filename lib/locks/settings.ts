import { env } from '@/lib/env'

export type KeySettings = {
  /** A lease is dead this long after it passed, on the store's clock. */
  graceMs: number
  /** The clocks of the store, the provider and this process differ by at most this. */
  skewMs: number
  /** What the provider made longer ago than this is in its listing. */
  settleDelayMs: number
  /** The longest that a call of a service to its provider takes, all repeats included. */
  callMs: number
  /** How long the provider answers a repeated idempotency key with the same object. */
  providerWindowMs: number
  /** A check takes what the provider said of a stuck key for this long as what it would say now; an act never does. */
  askAgainMs: number
}

const ASK_AGAIN_MS = 15_000

export function keySettings(): KeySettings {
  const settings = env()
  return {
    graceMs: settings.IDEMSCOPE_LEASE_GRACE_MS,
    skewMs: settings.IDEMSCOPE_CLOCK_SKEW_MS,
    settleDelayMs: settings.IDEMSCOPE_SETTLE_DELAY_MS,
    callMs: settings.IDEMSCOPE_PROVIDER_CALL_MS,
    providerWindowMs: settings.IDEMSCOPE_PROVIDER_WINDOW_MS,
    askAgainMs: ASK_AGAIN_MS,
  }
}
