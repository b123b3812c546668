import { requestContext } from '@/app/_server/context'
import { eventStream } from '@/app/_server/event-stream'
import { respond } from '@/app/_server/respond'
import { services } from '@/app/_server/services'

export const dynamic = 'force-dynamic'

/** What changed, as it changes. Each beat asks again whether the reader may still listen. */
export const GET = (request: Request): Promise<Response> =>
  respond(request, async (requestId) => {
    await requestContext(request, requestId)
    const stillAllowed = () =>
      requestContext(request, requestId).then(
        () => true,
        () => false,
      )
    return eventStream(services().live, request.signal, stillAllowed)
  })
