import { matchRoute } from '@/app/_server/api/match'
import { serve } from '@/app/_server/api/serve'
import { ROUTES } from '@/app/_server/api/table'
import { respond } from '@/app/_server/respond'
import { AppError } from '@/lib/core/errors'

export const dynamic = 'force-dynamic'

type Params = { params: Promise<{ path: string[] }> }

/** Every route of /api/v1: the table drives dispatch, validation and the OpenAPI document alike. */
async function handle(request: Request, { params }: Params): Promise<Response> {
  const { path } = await params
  const match = matchRoute(ROUTES, request.method, path)
  if (match.kind === 'route') return serve(match.route, request, match.params)
  const where = `/api/v1/${path.join('/')}`
  if (match.kind === 'none') {
    return respond(request, async () => {
      throw new AppError('not_found', `There is no ${where}. See /api/v1/openapi.json.`)
    })
  }
  const allow = match.allow.join(', ')
  const response = await respond(request, async () => {
    throw new AppError('method_not_allowed', `${where} takes ${allow}, not ${request.method}.`)
  })
  response.headers.set('allow', allow)
  return response
}

export { handle as DELETE, handle as GET, handle as PATCH, handle as POST, handle as PUT }
