import { createHmac } from 'node:crypto'

/** First 16 bytes, hex, of HMAC-SHA-256(secret, key): what telemetry carries instead of the key. */
export function hashKey(secret: string, key: string): string {
  return createHmac('sha256', secret).update(key).digest('hex').slice(0, 32)
}
