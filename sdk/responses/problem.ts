/** RFC 9457 answers; the titles are those of draft-ietf-httpapi-idempotency-key-header. */
const PROBLEMS = {
  keyMissing: {
    status: 400,
    type: 'key-missing',
    title: 'Idempotency-Key is missing',
    detail: 'This operation is idempotent and it requires correct usage of Idempotency Key.',
  },
  keyMalformed: {
    status: 400,
    type: 'key-malformed',
    title: 'Idempotency-Key is malformed',
    detail: 'The Idempotency-Key header is not usable.',
  },
  keyNotIssued: {
    status: 400,
    type: 'key-not-issued',
    title: 'Idempotency-Key was not issued',
    detail:
      'This service has not issued this key for this caller and this operation. Request one for it, and send it unchanged.',
  },
  keyExpired: {
    status: 400,
    type: 'key-expired',
    title: 'Idempotency-Key has expired',
    detail: 'Nothing was executed with this key, and it can begin nothing any more. Request a new one.',
  },
  keyReused: {
    status: 422,
    type: 'key-reused',
    title: 'Idempotency-Key is already used',
    detail: 'Idempotency Key MUST not be reused across different payloads of this operation.',
  },
  outstanding: {
    status: 409,
    type: 'outstanding',
    title: 'A request is outstanding for this Idempotency-Key',
    detail:
      'A request with the same Idempotency-Key for the same operation is being processed or is outstanding.',
  },
  unknownOutcome: {
    status: 409,
    type: 'unknown-outcome',
    title: 'A request is outstanding for this Idempotency-Key',
    detail:
      'An earlier request with this Idempotency-Key ended without a known outcome; it is being settled.',
  },
  preconditionFailed: {
    status: 412,
    type: 'precondition-failed',
    title: 'Precondition Failed',
    detail: 'The resource is not what the request expects. Read it again, and decide again.',
  },
  preconditionRequired: {
    status: 428,
    type: 'precondition-required',
    title: 'Precondition Required',
    detail:
      'This operation must have an If-Match header with the ETag that was read (or If-None-Match: * to create).',
  },
  preconditionMalformed: {
    status: 400,
    type: 'precondition-malformed',
    title: 'Bad Request',
    detail: 'A precondition is not usable.',
  },
  malformed: {
    status: 400,
    type: 'malformed',
    title: 'Bad Request',
    detail: 'The request cannot be read: its method or its Host header is not usable.',
  },
  tooLarge: {
    status: 413,
    type: 'body-too-large',
    title: 'Content Too Large',
    detail: 'The body is larger than this operation accepts.',
  },
  bodyTimeout: {
    status: 408,
    type: 'body-timeout',
    title: 'Request Timeout',
    detail: 'The body did not arrive in time. Retry with the same Idempotency-Key.',
  },
  storeUnavailable: {
    status: 503,
    type: 'store-unavailable',
    title: 'Service Unavailable',
    detail:
      'The request could not be protected against a second execution. Retry with the same Idempotency-Key.',
  },
  held: {
    status: 503,
    type: 'held',
    title: 'Service Unavailable',
    detail:
      'An operator holds this operation; nothing was executed. Retry later with the same Idempotency-Key.',
  },
  deadline: {
    status: 503,
    type: 'execution-deadline',
    title: 'Service Unavailable',
    detail: 'The request is still being processed. Retry with the same Idempotency-Key.',
  },
  internal: {
    status: 500,
    type: 'internal',
    title: 'Internal Server Error',
    detail: 'The request failed. Retry with the same Idempotency-Key.',
  },
} as const

export type ProblemName = keyof typeof PROBLEMS

type Problem = { status: number; type: string; title: string; detail: string }

export const problemResponse = (
  name: ProblemName,
  extra: { detail?: string; retryAfterS?: number } = {},
): Response => renderProblem(PROBLEMS[name], extra)

export function renderProblem(
  { type, ...problem }: Problem,
  extra: { detail?: string; retryAfterS?: number } = {},
): Response {
  const body = {
    type: `urn:idemscope:problem:${type}`,
    ...problem,
    ...(extra.detail ? { detail: extra.detail } : {}),
  }
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
  if (extra.retryAfterS !== undefined)
    headers.set('retry-after', String(Math.max(1, Math.ceil(extra.retryAfterS))))
  return new Response(JSON.stringify(body), { status: problem.status, headers })
}
