import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { collect } from '@/lib/retention/collect'
import { sampleStores } from '@/lib/retention/sample-stores'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

const paramsSchema = z.object({ source: z.string().optional() })

export async function run(ctx: SystemContext, handle: RunHandle, params: unknown): Promise<RunResult> {
  const { source } = paramsSchema.parse(params)
  // Before it, so that the backlog is seen.
  await sampleStores(ctx)
  return collect(ctx, handle, { source })
}
