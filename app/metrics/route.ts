import { requestContext } from '@/app/_server/context'
import { renderMetrics } from '@/app/_server/metrics/render'
import { respond } from '@/app/_server/respond'
import { type Services, services } from '@/app/_server/services'
import { bearerMatches } from '@/lib/access/bearer'
import { isDirectFromHere } from '@/lib/access/sign-in/client-address'

export const dynamic = 'force-dynamic'

/** Open to programs of this machine, like any exporter; what comes from elsewhere, or through a proxy, needs a token. */
export const GET = (request: Request): Promise<Response> =>
  respond(request, async (requestId) => {
    const app = services()
    if (!isDirectFromHere(request.headers) && !hasMetricsToken(app, request))
      await requestContext(request, requestId)
    const headers = {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'cache-control': 'no-store',
    }
    return new Response(await renderMetrics(app), { headers })
  })

function hasMetricsToken({ settings }: Services, request: Request): boolean {
  const { IDEMSCOPE_METRICS_TOKEN: token } = settings
  return token !== undefined && bearerMatches(request.headers.get('authorization'), token)
}
