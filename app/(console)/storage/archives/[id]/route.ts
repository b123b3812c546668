import { requestContext } from '@/app/_server/context'
import { respond } from '@/app/_server/respond'
import { restoreSql } from '@/lib/retention/archive/restore'

export const dynamic = 'force-dynamic'

type Props = { params: Promise<{ id: string }> }

/** The SQL that brings an archive back, as a file. A POST, since taking it is recorded. */
export const POST = (request: Request, { params }: Props): Promise<Response> =>
  respond(request, async (requestId) => {
    const { id } = await params
    const sql = await restoreSql(await requestContext(request, requestId), id)
    return new Response(sql, {
      headers: {
        'content-type': 'application/sql; charset=utf-8',
        'content-disposition': 'attachment; filename="restore.sql"',
        'cache-control': 'no-store',
      },
    })
  })
