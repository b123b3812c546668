import { requestContext } from '@/app/_server/context'
import { renderMetrics } from '@/app/_server/metrics'
import { respond } from '@/app/_server/respond'
import { services } from '@/app/_server/services'

export const dynamic = 'force-dynamic'

const LOOPBACK = ['127.0.0.1', 'localhost', '::1']

/** Open to this machine like any exporter; a console that listens beyond it asks for a token. */
export const GET = (request: Request): Promise<Response> =>
  respond(request, async (requestId) => {
    const app = services()
    if (!LOOPBACK.includes(app.settings.IDEMSCOPE_HOST)) await requestContext(request, requestId)
    const headers = {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'cache-control': 'no-store',
    }
    return new Response(await renderMetrics(app), { headers })
  })
