import { exportRoute } from '@/app/_server/export-response'
import { exportLocks } from '@/lib/locks/export-locks'
import { loadQuery, toFilter } from '../query'

export const POST = exportRoute('locks', async (ctx, asked, format) =>
  exportLocks(ctx, toFilter(await loadQuery(asked)), format),
)
