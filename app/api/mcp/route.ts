import { serveMcp } from '@/app/_server/mcp/serve'
import { respond } from '@/app/_server/respond'
import { AppError } from '@/lib/core/errors'

export const dynamic = 'force-dynamic'

export const POST = serveMcp

/** There is no stream to listen to and no session to end: clients take this for an answer. */
async function notOffered(request: Request): Promise<Response> {
  const response = await respond(request, async () => {
    throw new AppError(
      'method_not_allowed',
      `/api/mcp takes POST, not ${request.method}. See docs/guides/mcp.md.`,
    )
  })
  response.headers.set('allow', 'POST')
  return response
}

export { notOffered as DELETE, notOffered as GET }
