import type { Db } from '@/lib/db'
import { STAGE_TERMINAL_KEYS } from './sql/stage-witnessed'
import { applyStaged } from './store/apply-staged'
import { inRetriedTransaction } from './store/retry'
import { openStage } from './store/stage-tables'

export type TerminalMark = {
  scope: string
  /** 32 hex characters */
  keyHash: string
  /** when the record became terminal, on the store's clock */
  at: Date
  /** of that record; absent: taken as never, so that it covers every effect of the key */
  expiresAt?: Date | null
}

const CHUNK_ROWS = 5_000

/**
 * Says that keys reached a terminal record (seen in a store, or collected as terminal): their effects are no
 * orphans. Saying it twice changes nothing.
 */
export async function markTerminal(db: Db, marks: readonly TerminalMark[]): Promise<void> {
  for (let first = 0; first < marks.length; first += CHUNK_ROWS) {
    const rows = JSON.stringify(marks.slice(first, first + CHUNK_ROWS))
    await inRetriedTransaction(db.pool, async (client) => {
      await openStage(client)
      await client.query(STAGE_TERMINAL_KEYS, [rows])
      await applyStaged(client)
    })
  }
}
