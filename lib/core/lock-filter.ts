import type { KeyState, LockVerdict } from './states'

/** Which locks; absent = any. */
export type LockFilter = {
  state?: readonly KeyState[] | undefined
  verdict?: readonly LockVerdict[] | undefined
  source?: string | undefined
  scope?: string | undefined
  key?: string | undefined
  /** Exactly these. */
  ids?: readonly string[] | undefined
  /** The part of the scope after the caller, e.g. `POST /v1/payments`. */
  endpoint?: string | undefined
  /** The part of the scope before the endpoint. */
  client?: string | undefined
  /** Only those that nobody works on any more: lease expired, or unknown. */
  stuckOnly?: boolean | undefined
  /** Also locks that have ended since. */
  goneToo?: boolean | undefined
}
