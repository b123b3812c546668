import { createHash } from 'node:crypto'
import type { Provider } from './context'
import { StripeFailure } from './failures'
import type { KeptAnswer } from './objects'

export const keyLengthMax = 255

/** The same parameters in another order are the same request. */
export function hashRequest(method: string, pathname: string, encoded: string): string {
  const params = [...new URLSearchParams(encoded)].map((pair) => JSON.stringify(pair)).sort()
  return createHash('sha256')
    .update(`${method} ${pathname}\n${params.join('\n')}`)
    .digest('hex')
}

/** The kept answer of a key inside its window; throws when the key was used for another request. */
export function findAnswer(provider: Provider, key: string, requestHash: string): KeptAnswer | undefined {
  const answer = provider.state.answers.get(key)
  if (answer === undefined || provider.nowMs() - answer.atMs >= provider.idempotencyWindowMs) return undefined
  if (answer.requestHash !== requestHash) {
    throw new StripeFailure(
      400,
      'idempotency_error',
      `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
      {},
      { 'stripe-should-retry': 'false' },
    )
  }
  return answer
}

export function keyInUse(key: string): StripeFailure {
  return new StripeFailure(
    409,
    'idempotency_error',
    `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}.`,
    { code: 'idempotency_key_in_use' },
  )
}
