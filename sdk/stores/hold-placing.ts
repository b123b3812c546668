import { IdempotencyOptionsError } from '../errors'

export type HoldTarget =
  | { kind: 'store' }
  /** `{METHOD} {route}` */
  | { kind: 'route'; route: string }
  | { kind: 'caller'; caller: string }
  /** Everywhere, or on one route only. */
  | { kind: 'step'; step: string; route?: string }
  | { kind: 'key'; scope: string; key: string }

export type HoldPlacing = HoldTarget & {
  /** The same hold placed again under its id is one hold. Default: a new one. */
  id?: string
  /** At most 24 hours. Default 30 minutes. */
  lastsMs?: number
  reason: string
  by: string
}

/** `unknown_…`: no key was ever acquired there, so it is likely misspelt. */
export type HoldPlaced =
  | 'placed'
  | 'past'
  | 'too_long'
  | 'unknown_route'
  | 'unknown_caller'
  | 'unknown_scope'
  | 'too_many'
  | 'id_used'

export const HOLD_LASTS_MS_DEFAULT = 30 * 60_000
export const HOLD_LASTS_MS_MAX = 24 * 3_600_000
/** At once. */
export const HOLDS_IN_FORCE_MAX = 500

/** Throws what is wrong with the words of a hold, or of its end. */
export function demandHoldWords(id: string, reason: string, by: string): void {
  const faults = [
    /^[A-Za-z0-9_-]{1,64}$/.test(id) ? [] : ['the id of a hold is 1 to 64 letters, digits, _ or -'],
    reason.length >= 10 && reason.length <= 500 ? [] : ['the reason of a hold has 10 to 500 characters'],
    by.length >= 1 && by.length <= 200 ? [] : ['who places or lifts a hold has 1 to 200 characters'],
  ].flat()
  if (faults.length > 0) throw new IdempotencyOptionsError(faults)
}
