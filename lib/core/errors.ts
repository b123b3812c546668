/** Stop conditions. Expected outcomes are unions instead; bugs hit `invariant`. */
const STATUS = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  kill_switch: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  idempotency_key_missing: 400,
  too_large: 413,
  unprocessable: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
  timeout: 504,
} as const

export type ErrorCode = keyof typeof STATUS

const TITLE: Record<ErrorCode, string> = {
  invalid: 'The request is not valid',
  unauthenticated: 'Sign in or send a token',
  forbidden: 'Your role does not allow this',
  kill_switch: 'Writes are switched off',
  not_found: 'Not found',
  method_not_allowed: 'This method is not offered here',
  conflict: 'The state has changed',
  idempotency_key_missing: 'Idempotency-Key is missing',
  too_large: 'The request is too large',
  unprocessable: 'The request cannot be carried out',
  rate_limited: 'Too many requests',
  internal: 'Something broke on our side',
  unavailable: 'Temporarily unavailable',
  timeout: 'It took too long',
}

export class AppError extends Error {
  readonly code: ErrorCode
  /** Facts for the reader, merged into the problem details. Never secrets. */
  readonly meta: Record<string, unknown>

  constructor(
    code: ErrorCode,
    detail: string,
    options: { meta?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.meta = options.meta ?? {}
  }

  get status(): number {
    return STATUS[this.code]
  }
}

export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  code: ErrorCode
  requestId: string
  [extra: string]: unknown
}

/** RFC 9457 problem details. An unknown error becomes `internal` and says nothing of its inside. */
export function toProblem(error: unknown, requestId: string): Problem {
  const known =
    error instanceof AppError ? error : new AppError('internal', 'The error was logged.', { cause: error })
  return {
    ...known.meta,
    type: `https://idemscope.dev/problems/${known.code}`,
    title: TITLE[known.code],
    status: known.status,
    detail: known.message,
    code: known.code,
    requestId,
  }
}

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Invariant violated: ${message}`)
}
