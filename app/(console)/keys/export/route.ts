import { exportRoute } from '@/app/_server/export-response'
import { exportKeys } from '@/lib/keys/export-keys'
import { loadQuery, toFilter } from '../query'

export const POST = exportRoute('keys', async (ctx, asked, format) =>
  exportKeys(ctx, toFilter(await loadQuery(asked)), format),
)
