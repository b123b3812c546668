import { z } from 'zod'
import { type Settled, settle } from '@/lib/actions/execute'
import type { SystemContext } from '@/lib/context'
import type { Action } from '@/prisma/generated/client'
import { STATEMENT_ENDED_AFTER_MS, STORE_SETTLING } from '../verbs/settle-unknown'
import { openHolds } from './open-holds'

const paramsSchema = z.object({ holdId: z.string() })

/** Finds out, by reading the store, whether holds were placed and lifted whose answer was lost. */
export const settleHolds = (ctx: SystemContext): Promise<{ settled: number; open: number }> =>
  settle(ctx, {
    job: 'settle-holds',
    where: { params: { path: ['by'], equals: 'holds' } },
    ...STORE_SETTLING,
    recorded: (_, { kind }) => ({ verb: kind === 'hold' ? 'hold.place' : 'hold.lift' }),
    read: readEnd,
  })

async function readEnd(ctx: SystemContext, action: Action): Promise<Settled | null> {
  if (action.sourceId === null) return null
  const { holdId } = paramsSchema.parse(action.params)
  const hold = await (await openHolds(ctx, action.sourceId)).read(holdId)
  const applied = action.kind === 'hold' ? hold !== null : hold === null || !hold.inForce
  if (applied) return { state: 'done', result: { holdId, settled: 'applied' } }
  const begunMs = action.executedAt?.getTime() ?? 0
  if (begunMs + STATEMENT_ENDED_AFTER_MS > ctx.clock.now().getTime()) return null
  return { state: 'failed', result: { holdId, settled: 'not_applied', text: 'It was not applied.' } }
}
