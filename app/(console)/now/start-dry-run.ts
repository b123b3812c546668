'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { pageContext } from '@/app/_server/context'
import { AppError } from '@/lib/core/errors'
import { startRun } from '@/lib/runs/start'

const rangeSchema = z
  .object({ from: z.iso.datetime(), to: z.iso.datetime() })
  .refine(({ from, to }) => from < to, 'the end comes after the beginning')

export type DryRunStarted = { kind: 'started'; runId: string } | { kind: 'refused'; why: string }

/** Compares the sides over a range and opens no case. */
export async function startDryRun(raw: z.input<typeof rangeSchema>): Promise<DryRunStarted> {
  const ctx = await pageContext()
  try {
    const run = await startRun(ctx, { kind: 'reconciliation', params: rangeSchema.parse(raw), dryRun: true })
    revalidatePath('/now')
    return { kind: 'started', runId: run.id }
  } catch (error) {
    if (error instanceof AppError) return { kind: 'refused', why: error.message }
    throw error
  }
}
