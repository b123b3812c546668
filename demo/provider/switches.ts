import { z } from 'zod'

/** Misbehaviour that a test or a fault turns on. `remaining` counts down with each request that it hits. */
export const switchesSchema = z
  .object({
    rateLimit: z.object({
      remaining: z.int().min(0),
      retryAfterS: z.int().min(0),
      match: z.string().default(''),
    }),
    /** `after`: the effect happened and its answer was lost on the way; `before`: nothing happened. */
    serverError: z.object({
      remaining: z.int().min(0),
      effect: z.enum(['before', 'after']),
      match: z.string().default(''),
    }),
    slow: z.object({
      remaining: z.int().min(0),
      delayMs: z.int().min(0).max(60_000),
      match: z.string().default(''),
    }),
    /** Lists show nothing younger than this. */
    listLagMs: z.int().min(0),
  })
  .partial()

type Switch = { remaining: number; match: string }

export class Switches {
  rateLimit: (Switch & { retryAfterS: number }) | undefined
  serverError: (Switch & { effect: 'before' | 'after' }) | undefined
  slow: (Switch & { delayMs: number }) | undefined
  listLagMs = 0

  set(input: z.infer<typeof switchesSchema>): void {
    if (input.rateLimit !== undefined) this.rateLimit = input.rateLimit
    if (input.serverError !== undefined) this.serverError = input.serverError
    if (input.slow !== undefined) this.slow = input.slow
    if (input.listLagMs !== undefined) this.listLagMs = input.listLagMs
  }
}

/** Uses a switch up once when it is on and the request (`POST /v1/refunds`) contains its text. */
export function take<S extends Switch>(found: S | undefined, request: string): S | undefined {
  if (found === undefined || found.remaining === 0 || !request.includes(found.match)) return undefined
  found.remaining -= 1
  return found
}
