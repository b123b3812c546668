import { z } from 'zod'

const count = z.int().min(0)
const match = z.string().default('')

/** Misbehaviour that a test or a fault turns on. `remaining` counts down with each request that it hits. */
export const switchesSchema = z
  .object({
    rateLimit: z.object({ remaining: count, retryAfterS: count, match }),
    /**
     * `after`: the effect happened and its answer was lost on the way; `before`: nothing happened. `kept`: the error is
     * stored for the idempotency key, and replayed.
     */
    serverError: z.object({
      remaining: count,
      effect: z.enum(['before', 'after']),
      match,
      kept: z.boolean().default(false),
    }),
    slow: z.object({ remaining: count, delayMs: count.max(60_000), match }),
    /** Lists show nothing younger than this. */
    listLagMs: count,
    /** A list answers an empty page, as with a filter gone wrong. */
    emptyList: z.object({ remaining: count, match }),
    /** After a page of a list is answered, one more charge is made: what a busy account does between two pages. */
    midPage: z.object({ remaining: count, match }),
    /** The event feed: shown this late, each n-th never, each twice, oldest first. */
    events: z.object({
      lateMs: count.default(0),
      loseEvery: count.default(0),
      twice: z.boolean().default(false),
      reversed: z.boolean().default(false),
    }),
    /** The account's version of the API, which events are written in. */
    eventVersion: z.string().nullable(),
    /** Endpoints that the restricted read key has no right to. */
    denied: z.array(z.string()),
    /** No refund of a charge that the customer's bank has taken back. Off, an unwanted one is seen by what it made. */
    refusesChargedBack: z.boolean(),
    /** Ids of objects that exist in live mode: this is test mode. */
    inLiveMode: z.array(z.string()),
    /** The provider's clock against ours, and standing still: then a second holds whatever is made. */
    clock: z.object({ skewMs: z.int().default(0), frozenAtMs: count.nullable().default(null) }),
  })
  .partial()

type Input = z.infer<typeof switchesSchema>
type Switch = { remaining: number; match: string }

export class Switches {
  rateLimit: (Switch & { retryAfterS: number }) | undefined
  serverError: (Switch & { effect: 'before' | 'after'; kept: boolean }) | undefined
  slow: (Switch & { delayMs: number }) | undefined
  emptyList: Switch | undefined
  midPage: Switch | undefined
  listLagMs = 0
  eventVersion: string | null = null
  denied: string[] = []
  refusesChargedBack = false
  inLiveMode: string[] = []
  events: Required<NonNullable<Input['events']>> = {
    lateMs: 0,
    loseEvery: 0,
    twice: false,
    reversed: false,
  }
  clock: Required<NonNullable<Input['clock']>> = { skewMs: 0, frozenAtMs: null }

  set(input: Input): void {
    for (const [name, value] of Object.entries(input)) {
      if (value !== undefined) Object.assign(this, { [name]: value })
    }
  }

  /** The provider's own idea of the time. */
  now(ambientMs: number): number {
    return this.clock.frozenAtMs ?? ambientMs + this.clock.skewMs
  }
}

/** Uses a switch up once when it is on and the request (`POST /v1/refunds`) contains its text. */
export function take<S extends Switch>(found: S | undefined, request: string): S | undefined {
  if (found === undefined || found.remaining === 0 || !request.includes(found.match)) return undefined
  found.remaining -= 1
  return found
}
