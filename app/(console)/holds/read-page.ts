import { scopeParts } from '@/lib/core/scope'
import { listHoldStores, listHolds } from '@/lib/locks/holds/list-holds'
import type { OpenedPage } from '../_page/open-page'
import { killSwitchNow } from '../_shell/reads'
import type { HoldGiven, HoldStore } from './hold-dialog'
import { loadHolds } from './query'

const IN_FORCE_SHOWN = 200
const ENDED_SHOWN = 20
const OFFERED_MAX = 200

export type HoldsData = Awaited<ReturnType<typeof readHoldsPage>>

/** What is held and what was, what can be held, and what this person may do. */
export async function readHoldsPage({ ctx, asked, place, forbid }: OpenedPage) {
  const query = await loadHolds(asked)
  const [inForce, ended, stores, { on: writesOff }] = await Promise.all([
    listHolds(ctx, { inForce: true }, { limit: IN_FORCE_SHOWN }),
    listHolds(ctx, { inForce: false }, { limit: ENDED_SHOWN, cursor: query.cursor ?? undefined }),
    readStores(ctx),
    killSwitchNow(),
  ])
  return {
    ...{ inForce, ended, query, place, stores, given: givenBy(query) },
    mayPlace: forbid('hold.place'),
    mayLift: forbid('hold.lift') ?? (writesOff ? 'Writes are switched off' : null),
    nameOf: (source: string) => stores.find(({ id }) => id === source)?.name ?? source,
  }
}

/** Each with its routes and callers, for the form; one that cannot be read has none to offer. */
async function readStores(ctx: OpenedPage['ctx']): Promise<HoldStore[]> {
  const stores = await listHoldStores(ctx)
  return Promise.all(
    stores.map(async ({ id, name, holds }) => {
      const known = await holds.targets(OFFERED_MAX).catch(() => ({ routes: [], callers: [] }))
      return { id, name, ...known }
    }),
  )
}

/** A lock or a key leads here by its scope: its route and its caller are at hand too. */
function givenBy({
  place: kind,
  source,
  scope,
  ...named
}: Awaited<ReturnType<typeof loadHolds>>): HoldGiven | null {
  if (kind === null) return null
  const parts = scope === null ? null : scopeParts(scope)
  return {
    kind,
    source,
    scope: scope ?? '',
    key: named.key ?? '',
    step: named.step ?? '',
    route: named.route ?? parts?.endpoint ?? '',
    caller: named.caller ?? parts?.client ?? '',
  }
}
