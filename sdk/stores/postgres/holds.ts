import type { HoldRow } from '../hold-keeper'
import type { StoreDatabase } from './database'
import { codeOf } from './unavailable'

/** A schema without migration 0002 has no holds: undefined function. */
const NO_HOLDS = '42883'

export async function readHolds(db: StoreDatabase): Promise<readonly HoldRow[]> {
  try {
    return (await db.callOne<{ idem_holds: HoldRow[] | null }>('idem_holds', [])).idem_holds ?? []
  } catch (error) {
    if (codeOf(error) === NO_HOLDS) return []
    throw error
  }
}
