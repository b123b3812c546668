// 501 and 505 will not change by asking again.
export const RETRYABLE_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504])

/** Whether the same request with the same key may get another answer. */
export function shouldRetry(response: Pick<Response, 'status' | 'headers'>): boolean {
  // A replayed answer is the stored one: it stays, success or error.
  if (response.headers.get('idempotent-replayed') === 'true') return false
  // A 409 that names a time is "still in flight"; one that does not is the application's own conflict.
  if (response.status === 409) return response.headers.has('retry-after')
  return RETRYABLE_STATUSES.has(response.status)
}
