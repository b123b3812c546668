import { IdempotencyUsageError } from '../errors'

/** A UUID of version 4. Pages without https have no `randomUUID`, React Native has neither without a polyfill. */
export function makeRandomKey(): string {
  const source: Partial<Crypto> | undefined = globalThis.crypto
  if (source?.randomUUID !== undefined) return source.randomUUID()
  if (source?.getRandomValues === undefined)
    throw new IdempotencyUsageError(
      'this platform has no crypto.getRandomValues to make a key with: give makeKey or idempotencyKey (in React Native, ' +
        "import 'react-native-get-random-values' first)",
    )
  const bytes = source.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
