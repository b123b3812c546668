import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { assist, stagingContext } from '@/lib/reconcile/stage/assist'
import { stageSystem } from '@/lib/reconcile/stage/stage'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import { listSystems } from '@/lib/sources/registry'

const paramsSchema = z.object({
  system: z.string().optional(),
  /** The run that asked for help with its ranges. */
  assist: z.string().optional(),
})

/** Brings the mirror of every system up to date. Where it stands is kept by the cursors of the sources. */
export async function run(ctx: SystemContext, handle: RunHandle, params: unknown): Promise<RunResult> {
  const { system, assist: assisted } = paramsSchema.parse(params ?? {})
  if (assisted !== undefined && system !== undefined) {
    const read = await assist(stagingContext(ctx, handle, system), system)
    return { outcome: 'staged', counts: { [system]: { read, assisted } } }
  }
  const systems = system === undefined ? await listSystems(ctx) : [system]
  const counts: Record<string, object> = {}
  let complete = true
  for (const [place, name] of systems.entries()) {
    const stage = await stageSystem(stagingContext(ctx, handle, name), name)
    for (const failure of stage.failures) {
      await handle.log('warn', `${failure.name}: ${failure.message}`, failure)
    }
    complete &&= stage.failures.length === 0
    counts[name] = { read: stage.read, failures: stage.failures.map((failure) => failure.name) }
    await handle.report({ progress: (place + 1) / systems.length, counts })
  }
  return { outcome: complete ? 'staged' : 'incomplete', counts }
}
