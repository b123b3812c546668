import { type ReportSubject, reconciliationReport } from '@/lib/reconcile/report/report'
import { requestContext, type UserContext } from './context'
import { fileResponse, respond } from './respond'

/** A report of reconciliation as a file. For a POST, since taking it is recorded. */
export const reportResponse = (
  request: Request,
  subjectOf: (ctx: UserContext, asked: URLSearchParams) => ReportSubject,
): Promise<Response> =>
  respond(request, async (requestId) => {
    const ctx = await requestContext(request, requestId)
    const { searchParams } = new URL(request.url)
    const format = searchParams.get('format') === 'json' ? 'json' : 'csv'
    const report = await reconciliationReport(ctx, subjectOf(ctx, searchParams), format)
    return fileResponse({ status: 200, ...report })
  })
