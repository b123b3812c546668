import type { Db } from '@/lib/db'
import { microsOf } from '@/lib/telemetry/micros'
import { inRetriedTransaction } from '../retried-transaction'
import type { KeyFacts } from '../rows/fact-row'
import { lockAndApply } from './apply-keys'
import { addExpiry, addTerminal, openKey } from './key-facts'

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
 * orphans. Its expiry also speaks about later executions (M5). Saying it twice changes nothing.
 */
export async function markTerminal(db: Db, marks: readonly TerminalMark[]): Promise<void> {
  for (let first = 0; first < marks.length; first += CHUNK_ROWS) {
    const chunk = marks.slice(first, first + CHUNK_ROWS)
    await inRetriedTransaction(db.pool, async (client) => {
      const keys = new Map<string, KeyFacts>()
      for (const mark of chunk) {
        const at = microsOf(mark.at)
        const expires = mark.expiresAt ? microsOf(mark.expiresAt) : null
        const facts = openKey(keys, mark.keyHash, mark.scope, at)
        addExpiry(facts, at, expires)
        addTerminal(facts, at, expires)
      }
      await lockAndApply(client, keys, [])
    })
  }
}
