import type { SystemContext } from '@/lib/context'
import { detectEffects } from '@/lib/effects/detect-effects'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

export async function run(ctx: SystemContext, _handle: RunHandle, _params: unknown): Promise<RunResult> {
  return { outcome: 'detected', counts: await detectEffects(ctx) }
}
