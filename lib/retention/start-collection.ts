import { z } from 'zod'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { type RunView, runView } from '@/lib/runs/read'
import { startRun } from '@/lib/runs/start'
import { openIntentSource } from '@/lib/sources/registry'

export const startCollectionSchema = z.strictObject({
  source: z.string().startsWith('src_').optional(),
  dryRun: z.boolean().default(false),
  /** The console asks for one; it stands in the audit. */
  reason: reasonSchema.optional(),
})

/** Starts a collection, of one store or all. A dry run says what it would drop. */
export async function startCollection(
  ctx: Context,
  raw: z.input<typeof startCollectionSchema>,
): Promise<RunView> {
  authorise(ctx, 'retention.run')
  const { source, dryRun, reason } = startCollectionSchema.parse(raw)
  if (source !== undefined) {
    const store = await openIntentSource(ctx, source)
    if (!store.source.capabilities.canCollect) {
      throw new AppError(
        'unprocessable',
        `${store.name} is not collected from here: ${store.source.capabilities.reasons?.collect ?? 'it does so itself'}`,
      )
    }
  }
  return runView(
    await startRun(ctx, {
      kind: 'collection',
      params: source === undefined ? {} : { source },
      dryRun,
      reason,
    }),
  )
}
