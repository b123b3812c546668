import { exportRoute } from '@/app/_server/export-response'
import { loadRange, resolveRange } from '@/app/_ui/time-range'
import { exportClients } from '@/lib/insight/clients/export-clients'

export const POST = exportRoute('clients', async (ctx, asked, format) => {
  const { from, to } = resolveRange(await loadRange(asked), ctx.clock.now())
  return exportClients(ctx, { from, to }, format)
})
