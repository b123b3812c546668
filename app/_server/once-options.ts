import { AppError } from '@/lib/core/errors'
import type { Services } from './services'

const LEASE_MS = 15_000
/** A correction reads store, ledger and provider before and after; a bulk action does so for each of its items. */
const EXECUTION_DEADLINE_MS = 60_000
/** A double click is answered with the first one's answer. */
const DUPLICATE_WAIT_MS = 10_000

/** The SDK used on ourselves: one execution for each key, whether a page or the API sends it. */
export async function onceOptions(app: Services) {
  const keySecret = app.settings.IDEMSCOPE_KEY_SECRET ?? app.settings.IDEMSCOPE_AUTH_SECRET
  if (keySecret === undefined) throw new AppError('invalid', 'IDEMSCOPE_KEY_SECRET is not set.')
  return {
    ...(await app.ownStore()),
    keySecret,
    owner: app.id,
    leaseMs: LEASE_MS,
    executionDeadlineMs: EXECUTION_DEADLINE_MS,
    waitMs: DUPLICATE_WAIT_MS,
    // A refusal changed nothing: once its cause is mended the same key may be used again.
    notStored: (response: Response) => response.status >= 400,
  }
}
