import type { IdempotentHandler } from './context'
import type { Settings } from './options'

/** One request with what serves it. */
export type Exchange<Tx, Extra> = {
  settings: Settings<Tx>
  handler: IdempotentHandler<Tx, Extra>
  request: Request
  extra: Extra
  scope: string
  /** Of a key that this service issued. */
  issued?: { expiresAt: Date } | undefined
}
