import { StoreUnavailableError } from '../../errors'

/** A reply of the server begins with its code; what else a client rejects with is trouble on the way. */
const REPLY = /^[A-Z][A-Z0-9]+ /
/**
 * "Not now" rather than "never": memory, a standby after a failover, too few replicas, a server that starts, saves in vain
 * or runs a script for too long, a cluster in between.
 */
const UNAVAILABLE =
  /^(OOM|READONLY|NOREPLICAS|LOADING|MASTERDOWN|MISCONF|BUSY|CLUSTERDOWN|TRYAGAIN|MOVED|ASK) /

const isReply = (error: Error): boolean => REPLY.test(error.message)

export const isNoScript = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('NOSCRIPT ')

/** Translates a client's errors; a bug, or a right that is missing, stays as it is. */
export function asStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreUnavailableError) return error
  const unavailable = isReply(error) ? UNAVAILABLE.test(error.message) : !(error instanceof TypeError)
  return unavailable
    ? new StoreUnavailableError(`the idempotency store is unavailable: ${error.message}`, { cause: error })
    : error
}

/** The client has closed, is offline and does not queue, or has tried often enough: asking again would only take time. */
const NOT_SENT = /isn't writeable|offline|client is closed|MaxRetriesPerRequest|retries per request/i

/** The connection broke over a command: what it does may be done. */
export const isAnswerLost = (error: unknown): boolean =>
  error instanceof Error &&
  !isReply(error) &&
  !(error instanceof TypeError) &&
  !NOT_SENT.test(`${error.constructor.name} ${error.message}`)
