import type { ReadContext } from '@/lib/context'
import { readUnseenEffects } from './confirmed-unseen'
import { readCausedEffects } from './read-causes'

/** Duplicates of a window that cases confirm and no span told of: by as many Effects lists more than a rate counts. */
export async function countUnseenDuplicates(
  ctx: ReadContext,
  window: { from: Date; to: Date },
): Promise<number> {
  const query = { kind: 'duplicate', ...window } as const
  const { effects } = await readCausedEffects(ctx, query)
  const seen = new Set(effects.flatMap(({ caseId }) => caseId ?? []))
  return (await readUnseenEffects(ctx, { ...query, seen: [...seen] })).effects.length
}
