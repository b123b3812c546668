/** An answer other than 200, thrown on the way and written as a google.rpc.Status. */
export class Refusal extends Error {
  readonly status: number
  readonly headers: Record<string, string>

  constructor(status: keyof typeof CODE, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.headers = headers
  }

  get code(): number {
    return CODE[this.status as keyof typeof CODE]
  }
}

/** google.rpc.Code by HTTP status. */
const CODE = {
  400: 3, // INVALID_ARGUMENT
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 12, // UNIMPLEMENTED
  405: 12,
  413: 8, // RESOURCE_EXHAUSTED
  415: 3,
  429: 8,
  500: 13, // INTERNAL
  503: 14, // UNAVAILABLE
} as const

/** This sender alone holds as much as one may; others still get in. */
export const tooMuch = () =>
  new Refusal(429, 'This sender waits with as much as one may; try again.', { 'retry-after': '1' })

/** The exporter keeps the data and comes back: the specification's 503 with Retry-After. */
export const busy = (message: string) => new Refusal(503, message, { 'retry-after': '1' })
