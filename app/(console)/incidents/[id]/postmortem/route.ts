import { requestContext } from '@/app/_server/context'
import { fileResponse, respond } from '@/app/_server/respond'
import { exportPostmortem } from '@/lib/incidents/postmortem/export-postmortem'

/** The postmortem as a file. For a POST, since taking it is recorded. */
export const POST = (request: Request, { params }: { params: Promise<{ id: string }> }): Promise<Response> =>
  respond(request, async (requestId) => {
    const ctx = await requestContext(request, requestId)
    const format = new URL(request.url).searchParams.get('format') === 'json' ? 'json' : 'markdown'
    return fileResponse({ status: 200, ...(await exportPostmortem(ctx, (await params).id, format)) })
  })
