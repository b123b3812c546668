import type { SystemContext } from '@/lib/context'
import { checkMessages } from '@/lib/messages/check-messages'
import { settleMessages } from '@/lib/messages/verbs/settle-messages'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

export async function run(ctx: SystemContext, handle: RunHandle): Promise<RunResult> {
  const sources = await checkMessages(ctx)
  await handle.report({ progress: 0.9, counts: { sources } })
  const settled = await settleMessages(ctx)
  const unreachable = sources.some(({ kind }) => kind === 'unreachable')
  return { outcome: unreachable ? 'incomplete' : 'checked', counts: { sources, settled } }
}
