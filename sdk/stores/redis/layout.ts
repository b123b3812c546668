import { hash } from 'node:crypto'
import { deriveAfterFailures } from '../provider-key'

/*
 * The layout of the Redis store, version 1. Whoever reads or writes these keys beside the SDK (the console) keeps to it.
 *
 * A key of a scope has a member, `{bytes of scope}:{scope}:{key}`, and a shard n = the first 16 bits of SHA-1(member) mod
 * 1024, for ever. All its data carries the hash tag {n}, so one script changes it at once in a cluster too:
 *
 *   idem:{n}:k:{member}    live: a hash without TTL, so that nothing unfinished is ever evicted or forgotten
 *                            s state (L leased, R retryable, U unknown), f fence, o owner, n attempts, c created, u lease until,
 *                            h heartbeat, p fingerprint, t tier, l the tier's TTL in ms, i trace id (absent = none), a nonce of
 *                            the acquire, r last recovery point (absent = no step yet), q '1' = given back with nothing but
 *                            failed effects: another request may have it, e nonce of the call that ended the attempt,
 *                            ${step} = JSON of a step (see `StoredStep`)
 *                          done: one string with the tier's TTL
 *                            1 {C completed | F failed final} {fence} {attempts} {created} {expires} {status} {fingerprint}
 *                            {trace id or -} {tier} {bytes of headers} {bytes of effects} {headers}{effects}{body}
 *                            headers: JSON as in StoredResponse; effects: a JSON list of steps without their results
 *                          given back: `1 G {fence} {nonce}` for a minute, so that the same give back is recognised. Such a
 *                            key is absent.
 *   idem:{n}:live          sorted set of the members with a hash; score = lease until
 *   idem:{n}:f             the highest fence of the shard: the next one is above it, whatever the clock says
 *   idem:{meta}:layout     hash: version, shards
 *   idem:{meta}:tiers      hash: name → TTL in ms
 *   idem:{meta}:seen       set of `scope\n{scope}`, `route\n{METHOD route}`, `caller\n{caller}` that keys were acquired in,
 *                          up to SEEN_MAX names
 *   idem:{meta}:holds      hash: id → JSON (see `StoredHold`)
 *
 * Times are µs of the epoch on the server's clock, fingerprints and trace ids hexadecimal.
 */

export const LAYOUT_VERSION = '1'
export const SHARDS = 1024

/** Names in `seen`: some 10 MB. */
export const SEEN_MAX = 100_000

export const META = {
  layout: 'idem:{meta}:layout',
  tiers: 'idem:{meta}:tiers',
  seen: 'idem:{meta}:seen',
  holds: 'idem:{meta}:holds',
} as const

export type KeyPlace = { member: string; data: string; live: string; fence: string }

export const liveIndexOf = (shard: number): string => `idem:{${shard}}:live`

export function placeOf(scope: string, key: string): KeyPlace {
  const member = `${Buffer.byteLength(scope)}:${scope}:${key}`
  const shard = hash('sha1', member, 'buffer').readUInt16BE(0) % SHARDS
  const prefix = `idem:{${shard}}:`
  return { member, data: `${prefix}k:${member}`, live: liveIndexOf(shard), fence: `${prefix}f` }
}

/** JSON of a step; numbers that a double may not hold are texts. */
export type StoredStep = {
  step: string
  name: string
  kind: string
  /** Begun, committed, failed, unknown. */
  state: 'B' | 'C' | 'F' | 'U'
  begunAt: string
  settledAt?: string
  reference?: string
  amountMinor?: string
  currency?: string
  /** JSON as the caller wrote it: Lua would change numbers and empty lists. */
  result?: string
  /** Of the holder that began it. */
  fence: string
  /** Calls that are known to have failed. */
  failures: number
  /** It was begun again while the end of an earlier call was unknown: from then on it keeps its provider key. */
  inDoubt?: true
  /** The step's first; absent = the provider does not deduplicate by keys of ours. */
  providerKey?: string
  /** Which provider key the last call was given: `providerKeyOf`. */
  keyNumber?: number
  /** Of the call that began it. */
  nonce?: string
  /** As it was said: C, F, U, or N = begun and not called. */
  end?: string
}

/** What was sent to the provider with a step's last call. */
export const providerKeyOf = ({ providerKey, keyNumber = 0 }: StoredStep): string | null =>
  providerKey === undefined ? null : deriveAfterFailures(providerKey, keyNumber)

/** A record's head has no more than this: numbers, fingerprint, trace id and the name of a tier. */
export const HEAD_BYTES_MAX = 256

/** What a record says before its headers, effects and body, and where those are. Times in µs as stored. */
export type RecordHead = {
  state: 'C' | 'F'
  fence: bigint
  attempts: number
  createdMicros: string
  expiresMicros: string
  status: number
  fingerprint: string
  traceId: string | null
  tier: string
  headersAt: number
  effectsAt: number
  bodyAt: number
}

export type StoredRecord = {
  state: 'C' | 'F'
  fence: bigint
  attempts: number
  createdAt: Date
  expiresAt: Date
  status: number
  traceId: string | null
  headers: [string, string][]
  body: Uint8Array
}

export const dateOfMicros = (micros: string): Date => new Date(Math.floor(Number(micros) / 1_000))

/** Reads the beginning of the string of a key that is done; the rest may be cut off. */
export function readHead(stored: Buffer): RecordHead {
  const fields: string[] = []
  let at = 0
  while (fields.length < 12) {
    const end = stored.indexOf(0x20, at)
    if (end === -1 || end > HEAD_BYTES_MAX)
      throw new Error('a record of the Redis store has no readable head')
    fields.push(stored.toString('latin1', at, end))
    at = end + 1
  }
  const [version, state, fence, attempts, created, expires, status, print, trace, tier, headers, effects] =
    fields as Fields
  if (version !== LAYOUT_VERSION || (state !== 'C' && state !== 'F'))
    throw new Error(`a record of the Redis store has version ${version} and state ${state}: this SDK reads 1`)
  const effectsAt = at + Number(headers)
  return {
    state,
    fence: BigInt(fence),
    attempts: Number(attempts),
    createdMicros: created,
    expiresMicros: expires,
    status: Number(status),
    fingerprint: print,
    traceId: trace === '-' ? null : trace,
    tier,
    headersAt: at,
    effectsAt,
    bodyAt: effectsAt + Number(effects),
  }
}

export const readHeaders = (stored: Buffer, { headersAt, effectsAt }: RecordHead): [string, string][] =>
  effectsAt === headersAt ? [] : JSON.parse(stored.toString('utf8', headersAt, effectsAt))

/** Reads the string of a key that is done. */
export function readRecord(stored: Buffer): StoredRecord {
  const head = readHead(stored)
  return {
    state: head.state,
    fence: head.fence,
    attempts: head.attempts,
    createdAt: dateOfMicros(head.createdMicros),
    expiresAt: dateOfMicros(head.expiresMicros),
    status: head.status,
    traceId: head.traceId,
    headers: readHeaders(stored, head),
    body: stored.subarray(head.bodyAt),
  }
}

type Fields = [string, string, string, string, string, string, string, string, string, string, string, string]
