import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { HoldSource } from '@/lib/sources/contracts'
import { openIntentSource } from '@/lib/sources/registry'

export const NO_HOLDS = 'only a store of our own SDK keeps holds.'

/** The holds of a store. Throws `unprocessable` when its layout has none. */
export async function openHolds(ctx: SystemContext, sourceId: string): Promise<HoldSource> {
  const { source, name } = await openIntentSource(ctx, sourceId)
  if (source.holds !== undefined) return source.holds
  throw new AppError('unprocessable', `${name} cannot hold: ${NO_HOLDS}`, {
    meta: { reason: 'not_supported' },
  })
}
