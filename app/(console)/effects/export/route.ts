import { exportRoute } from '@/app/_server/export-response'
import { loadRange, resolveRange } from '@/app/_ui/time-range'
import { exportEffects } from '@/lib/effects/export-effects'
import { readEffects } from '@/lib/effects/read-effects'
import { loadQuery } from '../query'

export const POST = exportRoute('effects', async (ctx, asked, format) => {
  const { kind } = await loadQuery(asked)
  const range = resolveRange(await loadRange(asked), ctx.clock.now())
  const { causes, more } = await readEffects(ctx, kind, range)
  const effects = causes.flatMap(({ operation, effect, build, effects: lines }) =>
    lines.map((line) => ({ ...line, operation, effect, build })),
  )
  return exportEffects(ctx, { effects, more, filter: { kind, from: range.from, to: range.to } }, format)
})
