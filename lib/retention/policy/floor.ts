import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { env } from '@/lib/env'
import type { IntentSource } from '@/lib/sources/contracts'
import { type OpenSource, openIntentSource } from '@/lib/sources/registry'

type FloorContext = Pick<SystemContext, 'db' | 'clock' | 'log'>

/**
 * Until when a key can be replayed: its row answers it up to the row's own expiry, and its provider up to the end of the
 * provider's window. A row that goes sooner lets a retry execute again.
 */
export type Floor = {
  providerWindowMs: number
  /** The shortest time for which a row is kept in any case; a row's own expiry can be later. */
  floorMs: number
}

/** Of a store that is collected by rows; null = it drops what has expired, and nothing else. */
export async function floorOf(ctx: FloorContext, store: OpenSource<IntentSource>): Promise<Floor | null> {
  const rows = store.source.rowCollection
  if (rows === undefined) return null
  const providerWindowMs = await providerWindow(ctx, store.system)
  return { providerWindowMs, floorMs: Math.max(providerWindowMs, rows.ownExpiryMs ?? 0) }
}

const windowSchema = z.object({ idempotencyWindowMs: z.int().min(0).optional() })

/** The longest of the system's providers. One that is switched off here may still answer the service's retries. */
async function providerWindow(ctx: FloorContext, system: string): Promise<number> {
  const rows = await ctx.db.prisma.source.findMany({
    where: { system, kind: 'provider' },
    select: { config: true },
  })
  const standardMs = env().IDEMSCOPE_PROVIDER_WINDOW_MS
  const windows = rows.map(({ config }) => windowSchema.parse(config).idempotencyWindowMs ?? standardMs)
  return windows.length === 0 ? standardMs : Math.max(...windows)
}

/** By source; one that is switched off, or not collected by rows, has none. */
export async function readFloors(
  ctx: FloorContext,
  sourceIds: readonly string[],
): Promise<Map<string, Floor>> {
  const floors = new Map<string, Floor>()
  for (const id of new Set(sourceIds)) {
    const floor = await openIntentSource(ctx, id).then(
      (store) => floorOf(ctx, store),
      (error: unknown) => {
        if (error instanceof AppError) return null
        throw error
      },
    )
    if (floor !== null) floors.set(id, floor)
  }
  return floors
}

/** A policy that asks for less than the floor. Without an exception its rows are kept to the floor all the same. */
export const isBelowFloor = (policy: { ttlMs: number | null }, floor: Floor | undefined): boolean =>
  floor !== undefined && policy.ttlMs !== null && policy.ttlMs < floor.floorMs
