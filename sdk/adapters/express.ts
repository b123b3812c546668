import type { ServerResponse } from 'node:http'
import { type AdaptedHandler, askHandler } from '../node/adapted'
import type { Incoming } from '../node/incoming'
import { writeResponse } from '../node/outgoing'

export { keepRawBody } from '../node/keep-raw-body'

/**
 * Serves a handler of `idempotent` in Express 4 or 5. It gets Express's request as `extra`, where `req.user` and `req.params`
 * are. What it throws goes to Express's error handlers. A client that goes away does not stop it.
 */
export function toExpressHandler<Req extends Incoming>(
  handler: AdaptedHandler<Req>,
): (incoming: Req, outgoing: ServerResponse, next: (error?: unknown) => void) => Promise<void> {
  return async (incoming, outgoing, next) => {
    try {
      await serveExpress(handler, incoming, outgoing)
    } catch (error) {
      next(error)
    }
  }
}

/** Rejects with what the handler threw. */
export async function serveExpress<Req extends Incoming>(
  handler: AdaptedHandler<Req>,
  incoming: Req,
  outgoing: ServerResponse,
): Promise<void> {
  // A socket that breaks is no error of the handler's.
  outgoing.on('error', () => {})
  try {
    await writeResponse(await askHandler(handler, incoming, incoming), outgoing, incoming)
  } catch (error) {
    // A client that went away while it was sending: nobody is left to answer.
    if (error !== incoming.errored) throw error
    outgoing.destroy()
  }
}
