import type { ReadContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { getKey, type KeyDetail } from '@/lib/keys/get-key'
import { type EffectLine, effectLines, readKeyEffects } from '@/lib/keys/key-effects'
import { formatKeyId } from '@/lib/keys/key-id'
import { type LedgerPosting, readLedgerRows } from '@/lib/keys/ledger-rows'
import type { ConsumerAnswer } from '@/lib/messages/dedup/consumer-answer'
import { listSources } from '@/lib/mirror/read/list-sources'

/** What one consumer made of a message, by the key that it keeps for it. */
export type Execution = {
  group: string
  keyId: string
  detail: KeyDetail
  effects: EffectLine[]
  ledger: LedgerPosting[]
}

/** A consumer without a record, or whose store cannot be read, has none: its answer says so. */
export async function readExecutions(
  ctx: Parameters<typeof readKeyEffects>[0] & ReadContext,
  key: string | null,
  consumers: readonly ConsumerAnswer[],
): Promise<Execution[]> {
  if (key === null) return []
  const sources = await listSources(ctx.db, ctx.clock.now())
  const read = await Promise.all(
    consumers.map(async ({ group, sourceId, scope }) => {
      if (sourceId === null) return null
      const keyId = formatKeyId({ sourceId, scope, key })
      const detail = await getKey(ctx, keyId).catch(notThere)
      if (detail === null) return null
      const [seen, ledger] = await Promise.all([
        readKeyEffects(ctx, scope, key),
        readLedgerRows(ctx.db, { source: sourceId, scope, key }, sources),
      ])
      return { group, keyId, detail, effects: effectLines(detail, seen), ledger: ledger ?? [] }
    }),
  )
  return read.filter((each) => each !== null)
}

function notThere(error: unknown): null {
  if (error instanceof AppError && (error.code === 'not_found' || error.code === 'unavailable')) return null
  throw error
}
