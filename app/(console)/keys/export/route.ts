import { requestContext } from '@/app/_server/context'
import { respond } from '@/app/_server/respond'
import { exportKeys } from '@/lib/keys/export-keys'
import { loadQuery, toFilter } from '../query'

export const dynamic = 'force-dynamic'

/** The keys of the page's own filter as a file. A POST, since taking them is recorded. */
export const POST = (request: Request): Promise<Response> =>
  respond(request, async (requestId) => {
    const ctx = await requestContext(request, requestId)
    const { searchParams } = new URL(request.url)
    const format = searchParams.get('format') === 'json' ? 'json' : 'csv'
    const { text, rows, truncated } = await exportKeys(ctx, toFilter(await loadQuery(searchParams)), format)
    const stamp = ctx.clock.now().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
    return new Response(text, {
      headers: {
        'content-type': format === 'json' ? 'application/json' : 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="idemscope-keys-${stamp}Z.${format}"`,
        'cache-control': 'no-store',
        'x-rows': String(rows),
        'x-truncated': String(truncated),
      },
    })
  })
