import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { settleHolds } from '@/lib/locks/holds/settle-holds'
import { settleUnknown } from '@/lib/locks/verbs/settle-unknown'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

const paramsSchema = z.object({ source: z.string().optional() })

export async function run(ctx: SystemContext, handle: RunHandle, params: unknown): Promise<RunResult> {
  const { source } = paramsSchema.parse(params)
  const sources = await checkLocks(ctx, source)
  await handle.report({ progress: 0.9, counts: { sources } })
  const [keys, holds] = [await settleUnknown(ctx), await settleHolds(ctx)]
  const settled = { settled: keys.settled + holds.settled, open: keys.open + holds.open }
  const unreachable = sources.some((checked) => checked.kind === 'unreachable')
  return { outcome: unreachable ? 'incomplete' : 'checked', counts: { sources, settled } }
}
