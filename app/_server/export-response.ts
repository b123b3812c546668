import type { ExportedRows, ExportFormat } from '@/lib/audit/export/export-rows'
import { requestContext, type UserContext } from './context'
import { respond } from './respond'

type Take = (ctx: UserContext, asked: URLSearchParams, format: ExportFormat) => Promise<ExportedRows>

/** A page's list, by the page's own filter, as a file. For a POST, since taking it is recorded. */
export const exportRoute =
  (name: string, take: Take) =>
  (request: Request): Promise<Response> =>
    respond(request, async (requestId) => {
      const ctx = await requestContext(request, requestId)
      const { searchParams } = new URL(request.url)
      const format = searchParams.get('format') === 'json' ? 'json' : 'csv'
      const { text, rows, truncated } = await take(ctx, searchParams, format)
      const stamp = ctx.clock.now().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
      return new Response(text, {
        headers: {
          'content-type': format === 'json' ? 'application/json' : 'text/csv; charset=utf-8',
          'content-disposition': `attachment; filename="idemscope-${name}-${stamp}Z.${format}"`,
          'cache-control': 'no-store',
          'x-rows': String(rows),
          'x-truncated': String(truncated),
        },
      })
    })
