import type { RequestHead } from '../requests/head'
import type { IdempotencyContext } from './context'
import type { Settings } from './options'

/** One request with what serves it. */
export type Exchange<Tx, Extra> = {
  settings: Settings<Tx>
  request: RequestHead
  /** Asks the handler for the answer. */
  handle: (context: IdempotencyContext<Tx, Extra>) => unknown
  extra: Extra
  scope: string
  /** As in telemetry; null when unkeyed. */
  keyHash: string | null
  /** Of a key that this service issued. */
  issued?: { expiresAt: Date } | undefined
}
