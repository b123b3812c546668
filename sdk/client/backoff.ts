/** Full jitter: anywhere from nothing to the bound, so that clients that failed together do not return together. */
export function backoffMs(
  { backoffBaseMs, backoffMaxMs }: { backoffBaseMs: number; backoffMaxMs: number },
  attempt: number,
  askedMs: number | null,
  random: () => number,
): number {
  const boundMs = Math.min(backoffMaxMs, backoffBaseMs * 2 ** Math.min(attempt - 1, 30))
  const jitterMs = Math.round(random() * boundMs)
  // The server's wish is a minimum; the jitter comes on top, for the same reason.
  return askedMs === null ? jitterMs : askedMs + Math.min(jitterMs, backoffBaseMs)
}

/** Retry-After as seconds or as a date; null when absent or nonsense. */
export function readRetryAfterMs(response: Pick<Response, 'headers'>, nowMs: number): number | null {
  const value = response.headers.get('retry-after')?.trim() ?? ''
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  const atMs = value === '' ? Number.NaN : Date.parse(value)
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs)
}
