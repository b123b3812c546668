import { requestContext } from '@/app/_server/context'
import { respond } from '@/app/_server/respond'
import { loadRange, resolveRange } from '@/app/_ui/time-range'
import { exportAudit } from '@/lib/audit/export'
import { auditFilterOf, loadAudit } from '../query'

export const dynamic = 'force-dynamic'

/** The entries of the page's own filter as a file. A POST, since taking them is recorded. */
export const POST = (request: Request): Promise<Response> =>
  respond(request, async (requestId) => {
    const ctx = await requestContext(request, requestId)
    const url = new URL(request.url)
    const format = url.searchParams.get('format') === 'json' ? 'json' : 'csv'
    const range = resolveRange(await loadRange(url.searchParams), ctx.clock.now())
    const { text, rows, truncated } = await exportAudit(
      ctx,
      auditFilterOf(await loadAudit(url.searchParams), range),
      format,
    )
    const stamp = ctx.clock.now().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
    return new Response(text, {
      headers: {
        'content-type': format === 'json' ? 'application/json' : 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="idemscope-audit-${stamp}Z.${format}"`,
        'cache-control': 'no-store',
        'x-rows': String(rows),
        'x-truncated': String(truncated),
      },
    })
  })
