import { z } from 'zod'

/** What a service process tells its parent. */
export const fromService = z.discriminatedUnion('type', [
  z.object({ type: z.literal('listening'), port: z.int() }),
  /** A request came to an armed point and waits there. */
  z.object({ type: z.literal('reached'), point: z.string() }),
  /** The request that had waited has ended, its handler too. */
  z.object({ type: z.literal('finished') }),
  /** Its relay publishes nothing until it is told to go on. */
  z.object({ type: z.literal('relay-paused') }),
])

/** What a parent tells its service process. */
export const toService = z.discriminatedUnion('type', [
  /** Lets the request that waits at a point go on. */
  z.object({ type: z.literal('continue') }),
  /** From now on the idempotency store cannot be reached. */
  z.object({ type: z.literal('store-down') }),
  /** Each pause waits for a resume of its own. */
  z.object({ type: z.literal('pause-relay') }),
  z.object({ type: z.literal('resume-relay') }),
  /** Publishes to the consumers at a URL until a message of this key has gone out, and hangs before it is marked. */
  z.object({ type: z.literal('publish-and-hang'), url: z.url(), key: z.string() }),
])

export type FromService = z.infer<typeof fromService>
export type ToService = z.infer<typeof toService>
