import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { IdempotencyOptionsError } from '../errors'
import { type ScopeParts, scopeName } from './scope'

export type IssuedKeysOptions = {
  /** The first one signs; the others are still accepted. Drop one when what it signed has expired. */
  secrets: readonly { id: string; secret: string }[]
  /**
   * How long a key may begin an execution. Default 15 minutes; less than the tier's retention, or a key could be used again
   * once its record is gone.
   */
  lifetimeMs?: number
  /** Wall clock. */
  dateNowMs?: () => number
  makeNonce?: () => string
}

export type IssuedKeys = {
  /** A key for one execution of one route by one caller; the client sends it as `Idempotency-Key`. */
  issueKey(binding: ScopeParts & { method?: string }): { key: string; expiresAt: Date }
  /** What `requireIssuedKey` of `idempotent` asks. */
  check(scope: string, key: string): CheckedKey
}

export type CheckedKey =
  | { kind: 'not_issued' }
  /** `expired`: it may not begin anything any more; its answer is still replayed. */
  | { kind: 'issued'; expired: boolean; expiresAt: Date }

const LIFETIME_MS_MAX = 7 * 24 * 3_600_000
const MAC_BYTES = 24

/** Keys that only this service can make: nonce and idempotency key in one. */
export function createIssuedKeys(options: IssuedKeysOptions): IssuedKeys {
  const { secrets, lifetimeMs = 15 * 60_000, dateNowMs = Date.now } = options
  const makeNonce = options.makeNonce ?? (() => randomBytes(16).toString('base64url'))
  const faults = findFaults(secrets, lifetimeMs)
  const [current] = secrets
  if (faults.length > 0 || current === undefined) throw new IdempotencyOptionsError(faults)
  const byId = new Map(secrets.map(({ id, secret }) => [id, secret]))
  return {
    issueKey({ method = 'POST', ...parts }) {
      const expiresMs = dateNowMs() + lifetimeMs
      const signed = `ik1.${current.id}.${expiresMs.toString(36)}.${makeNonce()}`
      const mac = sign(current.secret, scopeName(method, parts), signed)
      return { key: `${signed}.${mac.toString('base64url')}`, expiresAt: new Date(expiresMs) }
    },
    check(scope, key) {
      const [, signed = '', id = '', expires = '', mac = ''] =
        /^(ik1\.([\w-]{1,32})\.([0-9a-z]{1,10})\.[\w-]{16,64})\.([\w-]{32})$/.exec(key) ?? []
      const secret = byId.get(id)
      const given = Buffer.from(mac, 'base64url')
      // The text that it was issued as, and no other that decodes to the same bytes: each would be a key of its own.
      if (secret === undefined || given.byteLength !== MAC_BYTES || given.toString('base64url') !== mac)
        return { kind: 'not_issued' }
      if (!timingSafeEqual(given, sign(secret, scope, signed))) return { kind: 'not_issued' }
      const expiresAt = new Date(Number.parseInt(expires, 36))
      return { kind: 'issued', expired: dateNowMs() >= expiresAt.getTime(), expiresAt }
    },
  }
}

const sign = (secret: string, scope: string, signed: string): Buffer =>
  createHmac('sha256', secret)
    .update(JSON.stringify(['idemscope-issued-key', 1, scope, signed]))
    .digest()
    .subarray(0, MAC_BYTES)

function findFaults(secrets: IssuedKeysOptions['secrets'], lifetimeMs: number): string[] {
  const faults: string[] = []
  if (!Array.isArray(secrets) || secrets.length === 0) faults.push('secrets must have one or more')
  else {
    if (new Set(secrets.map(({ id }) => id)).size < secrets.length)
      faults.push('each secret must have an id of its own')
    if (!secrets.every(({ id }) => /^[\w-]{1,32}$/.test(id)))
      faults.push('the id of a secret must be 1 to 32 letters, digits, _ or -')
    if (!secrets.every(({ secret }) => typeof secret === 'string' && secret.length >= 32))
      faults.push('a secret must have 32 characters or more')
  }
  if (!Number.isSafeInteger(lifetimeMs) || lifetimeMs < 1_000 || lifetimeMs > LIFETIME_MS_MAX)
    faults.push('lifetimeMs must be a whole number from 1000 to seven days')
  return faults
}
