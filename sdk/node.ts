import type { ServerResponse } from 'node:http'
import { IdempotencyUsageError } from './errors'
import { type Incoming, toRequest } from './node/incoming'
import { writeResponse } from './node/outgoing'
import { problemResponse } from './responses/problem'

export { keepRawBody } from './node/keep-raw-body'

export type NodeHandlerOptions = {
  /** Hears what the handler threw; the client is answered 500. Default: nothing. */
  onError?: (error: unknown) => void
}

/**
 * Serves a Web-standard handler under `node:http` or Express. A client that goes away does not stop the handler: its
 * effects may have begun, and its retry wants the answer.
 */
export function toNodeHandler(
  handler: (request: Request) => Promise<Response> | Response,
  options: NodeHandlerOptions = {},
): (incoming: Incoming, outgoing: ServerResponse) => Promise<void> {
  const fail = (error: unknown, answer: Response) => {
    options.onError?.(error)
    return answer
  }
  return async (incoming, outgoing) => {
    // A socket that breaks is no error of the handler's.
    outgoing.on('error', () => {})
    try {
      await writeResponse(await answer(incoming), outgoing, incoming)
    } catch (error) {
      outgoing.destroy()
      options.onError?.(error)
    }
  }

  async function answer(incoming: Incoming): Promise<Response> {
    let request: Request
    try {
      request = toRequest(incoming)
    } catch (error) {
      // How the handler is mounted; whoever mounts it should see it in the first answer.
      if (error instanceof IdempotencyUsageError)
        return fail(error, problemResponse('internal', { detail: error.message }))
      return problemResponse('malformed')
    }
    try {
      return await handler(request)
    } catch (error) {
      const answer = problemResponse('internal')
      // A client that went away while it was sending.
      return error === incoming.errored ? answer : fail(error, answer)
    }
  }
}
