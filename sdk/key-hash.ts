import { createHash, createHmac } from 'node:crypto'

const HASH_BYTES = 16

/** What telemetry carries in place of the key: first 16 bytes, hex, of HMAC-SHA-256(secret, key). */
export const hashKey = (secret: string, key: string): string =>
  createHmac('sha256', secret)
    .update(key)
    .digest('hex')
    .slice(0, HASH_BYTES * 2)

/**
 * The idempotency key sent to the provider: the same for every attempt and every holder, so a late call of a fenced-off
 * holder is answered with the same object. Not keyed by the secret: rotating that must not make a second charge.
 */
export const deriveProviderKey = (scope: string, key: string, step: string): string =>
  createHash('sha256')
    .update(JSON.stringify(['idemscope', 1, scope, key, step]))
    .digest('hex')
