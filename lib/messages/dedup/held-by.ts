import { AppError } from '@/lib/core/errors'
import { holdText } from '@/lib/core/hold-target'
import { scopeParts } from '@/lib/core/scope'
import type { IntentSource } from '@/lib/sources/contracts'

const HOLDS_READ_MAX = 500

/** What holds back the executions of a whole scope, in words; null = nothing. A hold on one key is told by its key. */
export async function heldBy(source: Pick<IntentSource, 'holds'>, scope: string): Promise<string | null> {
  if (source.holds === undefined) return null
  const { client, endpoint } = scopeParts(scope)
  // A store that is older than holds has none; where they may not be read, the consumer obeys them all the same.
  const holds = await source.holds
    .list({ inForce: true, after: null, limit: HOLDS_READ_MAX })
    .catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'unprocessable') return []
      throw error
    })
  const found = holds.find(
    ({ target }) =>
      target.kind === 'store' ||
      (target.kind === 'caller' && target.caller === client) ||
      (target.kind === 'route' && target.route === endpoint),
  )
  return found === undefined ? null : holdText(found.target)
}
