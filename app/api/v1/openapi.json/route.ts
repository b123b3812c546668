import { openApi } from '@/app/_server/api/openapi'
import { ROUTES } from '@/app/_server/api/table'
import { respond } from '@/app/_server/respond'
import { services } from '@/app/_server/services'
import { publicUrl } from '@/lib/env'

export const dynamic = 'force-dynamic'

/** Public: it tells what could be asked, nothing of what is there. */
export const GET = (request: Request): Promise<Response> =>
  respond(request, async () =>
    Response.json(openApi(ROUTES, publicUrl(services().settings)), {
      headers: { 'cache-control': 'public, max-age=300' },
    }),
  )
