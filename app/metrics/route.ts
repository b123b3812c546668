import { requestContext } from '@/app/_server/context'
import { FORMATS, type Format } from '@/app/_server/metrics/exposition'
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
    const format = formatFor(request.headers.get('accept'))
    const headers = { 'content-type': FORMATS[format], 'cache-control': 'no-store', vary: 'accept' }
    return new Response(await renderMetrics(app, format), { headers })
  })

/** Exemplars need OpenMetrics, which Prometheus asks for by itself; everybody else gets the format of always. */
const formatFor = (accept: string | null): Format =>
  (accept ?? '').split(',').some((asked) => asked.trim().startsWith('application/openmetrics-text'))
    ? 'openMetrics'
    : 'prometheus'

function hasMetricsToken({ settings }: Services, request: Request): boolean {
  const { IDEMSCOPE_METRICS_TOKEN: token } = settings
  return token !== undefined && bearerMatches(request.headers.get('authorization'), token)
}
