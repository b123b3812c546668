import type { ServerResponse } from 'node:http'
import type { AdaptedHandler } from '../node/adapted'
import type { Incoming } from '../node/incoming'
import { serveExpress } from './express'
import { type FastifyReply, type FastifyRequest, serveFastify } from './fastify'

/**
 * Serves a handler of `idempotent` in a controller's method that takes `@Req()` and `@Res()`, on either platform of NestJS. It
 * gets the platform's request as `extra`. What it throws goes to exception filters: return, or await, what this gives.
 */
export function toNestHandler<Req extends object>(
  handler: AdaptedHandler<Req>,
): (request: Req, response: ServerResponse | FastifyReply) => Promise<void> {
  // A request of Fastify's has a raw one, and so has its reply.
  return (request, response) =>
    'raw' in response
      ? serveFastify(
          handler as AdaptedHandler<object> as AdaptedHandler<FastifyRequest>,
          request as Req & FastifyRequest,
          response,
        )
      : serveExpress(
          handler as AdaptedHandler<object> as AdaptedHandler<Incoming>,
          request as Req & Incoming,
          response,
        )
}
