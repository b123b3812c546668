'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import type { Attempted } from '@/app/_server/attempt'
import { attemptOnce } from '@/app/_server/attempt-once'
import type { ActInput } from '@/app/_ui/act-dialog'
import { PRESETS } from '@/app/_ui/time-range'
import { AppError } from '@/lib/core/errors'
import { cancelRun } from '@/lib/runs/cancel'
import { startRun } from '@/lib/runs/start'

const windowSchema = z.enum(['changed', 'range', '15m', '1h', '6h', '24h', '7d'])
const instant = z.iso.datetime()

type Shown = { from: string; to: string }

/** Starts a comparison of some systems over a window; a dry run opens no case. */
export async function startReconciliation(shown: Shown, input: ActInput): Promise<Attempted<unknown>> {
  return attemptOnce('reconciliation.start', input.requestId, async (ctx) => {
    const window = windowOf(windowSchema.parse(input.fields.window), shown, ctx.clock.now())
    const system = z.string().max(60).parse(input.fields.system)
    const run = await startRun(ctx, {
      kind: 'reconciliation',
      params: { ...window, ...(system === 'all' ? {} : { system }) },
      dryRun: input.fields.mode !== 'real',
    })
    revalidatePath('/reconciliation')
    return { runId: run.id }
  })
}

function windowOf(name: z.infer<typeof windowSchema>, shown: Shown, now: Date): Partial<Shown> {
  if (name === 'changed') return {}
  const [from, to] =
    name === 'range'
      ? [instant.parse(shown.from), instant.parse(shown.to)]
      : [new Date(now.getTime() - PRESETS[name].ms).toISOString(), now.toISOString()]
  if (from >= to) throw new AppError('invalid', 'The end of the window must come after its beginning.')
  return { from, to }
}

/** The same window as a dry run that was looked at, this time for real. */
export async function repeatForReal(runId: string, input: ActInput): Promise<Attempted<unknown>> {
  return attemptOnce('reconciliation.repeat', input.requestId, async (ctx) => {
    const run = await ctx.db.prisma.run.findUnique({ where: { id: z.string().parse(runId) } })
    if (run === null || run.kind !== 'reconciliation')
      throw new AppError('not_found', `There is no run ${runId}.`)
    const params = z.record(z.string(), z.unknown()).parse(run.params)
    const started = await startRun(ctx, { kind: 'reconciliation', params, dryRun: false })
    revalidatePath('/reconciliation')
    return { runId: started.id }
  })
}

export async function cancel(runId: string, input: ActInput): Promise<Attempted<unknown>> {
  return attemptOnce('run.cancel', input.requestId, async (ctx) => {
    await cancelRun(ctx, z.string().parse(runId))
    revalidatePath('/reconciliation')
    return null
  })
}
