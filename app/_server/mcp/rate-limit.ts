import type { Clock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'

/** At once; a session of a model asks a few tools. */
export const REQUESTS_AT_ONCE = 60
/** Afterwards. A refusal says Retry-After: 2, after which two more are there. */
const REQUESTS_PER_SECOND = 1
/** Tokens remembered; when full, start again: each has at most one burst more. */
const TOKENS_MAX = 10_000

/**
 * Bounds the requests of a token to this process: a burst of 60, then one a second. It is kept in memory, so that reading
 * never writes, and still works while the console's disk is full.
 */
export function createRateLimit(clock: Clock): (tokenId: string) => void {
  const buckets = new Map<string, { left: number; atMs: number }>()
  return (tokenId) => {
    const nowMs = clock.now().getTime()
    const bucket = buckets.get(tokenId) ?? { left: REQUESTS_AT_ONCE, atMs: nowMs }
    const gained = (Math.max(0, nowMs - bucket.atMs) / 1000) * REQUESTS_PER_SECOND
    const left = Math.min(REQUESTS_AT_ONCE, bucket.left + gained)
    if (left < 1) {
      throw new AppError(
        'rate_limited',
        `This token asked ${REQUESTS_AT_ONCE} times at once; it may ask ${REQUESTS_PER_SECOND} time a second. Wait, then go on slower.`,
      )
    }
    if (buckets.size >= TOKENS_MAX) buckets.clear()
    buckets.set(tokenId, { left: left - 1, atMs: nowMs })
  }
}
