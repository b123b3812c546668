'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { type Attempted, attemptChange } from '@/app/_server/attempt'
import { startRun } from '@/lib/runs/start'

const rangeSchema = z
  .object({ from: z.iso.datetime(), to: z.iso.datetime() })
  .refine(({ from, to }) => from < to, 'the end comes after the beginning')

/** Compares the sides over a range and opens no case. */
export const startDryRun = async (
  range: z.input<typeof rangeSchema>,
): Promise<Attempted<{ runId: string }>> =>
  attemptChange(async (ctx) => {
    const params = rangeSchema.parse(range)
    const run = await startRun(ctx, { kind: 'reconciliation', params, dryRun: true })
    revalidatePath('/now')
    return { runId: run.id }
  })
