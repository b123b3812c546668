import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { type HoldTarget, holdText } from '@/lib/core/hold-target'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import type { StoreHold } from '@/lib/sources/contracts'
import { openIntentSources } from '@/lib/sources/registry'
import { openHolds } from './open-holds'

export type HoldView = {
  id: string
  source: string
  target: HoldTarget
  /** What is held, in words. */
  what: string
  inForce: boolean
  reason: string
  placedBy: string
  placedAt: string
  endsAt: string
  liftedAt: string | null
  liftedBy: string | null
  liftReason: string | null
}

const viewOf = (source: string, { placedAtText: _, ...hold }: StoreHold): HoldView => ({
  ...hold,
  source,
  what: holdText(hold.target),
  placedAt: hold.placedAt.toISOString(),
  endsAt: hold.endsAt.toISOString(),
  liftedAt: hold.liftedAt?.toISOString() ?? null,
})

/** Throws `not_found`. */
export async function readHold(ctx: SystemContext, source: string, id: string): Promise<HoldView> {
  const hold = await (await openHolds(ctx, source)).read(id)
  if (hold === null) throw new AppError('not_found', `There is no hold ${id} in this store.`)
  return viewOf(source, hold)
}

export type HoldFilter = { source?: string | undefined; inForce?: boolean | undefined }

/** A store whose holds are not known now: they may be in force all the same. */
export type UnreadHolds = { source: string; name: string; why: string }

const cursorShape = z.tuple([z.string().max(40), z.string().max(64)])

/** Holds of every store that has them, the newest first, read from the stores themselves. */
export async function listHolds(
  ctx: SystemContext,
  filter: HoldFilter,
  { limit, cursor }: PageInput,
): Promise<Page<HoldView> & { unread: UnreadHolds[]; storesAsked: number }> {
  const [placedAtText, id] = cursor === undefined ? [] : decodeCursor(cursor, cursorShape)
  const after = placedAtText === undefined || id === undefined ? null : { placedAtText, id }
  const stores = await listHoldStores(ctx)
  const asked = stores.filter((store) => filter.source === undefined || store.id === filter.source)
  const unread: UnreadHolds[] = []
  const found = await Promise.all(
    asked.map(async ({ id: source, name, holds }) => {
      try {
        const rows = await holds.list({ inForce: filter.inForce ?? null, after, limit: limit + 1 })
        return rows.map((row) => ({ source, row }))
      } catch (error) {
        unread.push({ source, name, why: error instanceof Error ? error.message : String(error) })
        return []
      }
    }),
  )
  // Stamps of one form and time zone sort as texts.
  const placeOf = ({ row }: { row: StoreHold }) => `${row.placedAtText} ${row.id}`
  const sorted = found.flat().sort((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1))
  const page = toPage(sorted, limit, ({ row }) => [row.placedAtText, row.id])
  return {
    items: page.items.map(({ source, row }) => viewOf(source, row)),
    next: page.next,
    unread,
    storesAsked: asked.length,
  }
}

/** The stores that keep holds. */
export async function listHoldStores(ctx: SystemContext) {
  const sources = await openIntentSources(ctx)
  return sources.flatMap(({ id, name, system, source: { holds } }) =>
    holds === undefined ? [] : [{ id, name, system, holds }],
  )
}
