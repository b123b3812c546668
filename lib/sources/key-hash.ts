import { createHmac } from 'node:crypto'

/** What telemetry carries instead of a key: the first 16 bytes of HMAC-SHA-256(IDEMSCOPE_KEY_SECRET, key). */
export const keyHashBytes = (secret: string, key: string): Buffer =>
  createHmac('sha256', secret).update(key).digest().subarray(0, 16)

/** The same in hex, 32 characters: `idempotency.key.hash`. */
export const keyHash = (secret: string, key: string): string => keyHashBytes(secret, key).toString('hex')
