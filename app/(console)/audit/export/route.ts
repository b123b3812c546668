import { exportRoute } from '@/app/_server/export-response'
import { loadRange, resolveRange } from '@/app/_ui/time-range'
import { exportAudit } from '@/lib/audit/export/export'
import { auditFilterOf, loadAudit } from '../query'

export const POST = exportRoute('audit', async (ctx, asked, format) => {
  const range = resolveRange(await loadRange(asked), ctx.clock.now())
  return exportAudit(ctx, auditFilterOf(await loadAudit(asked), range), format)
})
