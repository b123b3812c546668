import type pg from 'pg'
import { ENTRY_COLUMNS, entryHash, type SealableEntry } from './entry-hash'

const BATCH_SEALS = 2_000

const SEALS = `
  SELECT s.seq::text, s.prev_hash, s.hash, ${ENTRY_COLUMNS}
  FROM audit_seal s LEFT JOIN audit_entry e ON e.id = s.entry_id
  WHERE s.seq > $1 AND s.seq <= $2 ORDER BY s.seq LIMIT ${BATCH_SEALS}`

export type Seal = SealableEntry & { seq: string; prev_hash: Buffer; hash: Buffer }
export type Link = { seq: bigint; hash: Buffer }
export type Break = { seq: string; entryId: string; why: string }

/** Beyond any chain. */
export const LAST_SEQ = 2n ** 63n - 1n

/** Seals from after `from`, in batches of their order. */
export async function* readSeals(
  client: Pick<pg.Pool | pg.PoolClient, 'query'>,
  from: bigint,
  through: bigint,
): AsyncGenerator<Seal[]> {
  let seq = from
  for (;;) {
    const { rows } = await client.query<Seal>(SEALS, [seq, through])
    if (rows.length > 0) yield rows
    if (rows.length < BATCH_SEALS) return
    seq = BigInt(rows.at(-1)?.seq ?? 0)
  }
}

/** Recomputes the chain after `from`. Gives how far it holds, and the first place that does not. */
export async function followChain(
  client: Pick<pg.Pool | pg.PoolClient, 'query'>,
  from: Link,
  through: bigint = LAST_SEQ,
): Promise<{ last: Link; brokenAt: Break | null }> {
  let last = from
  for await (const seals of readSeals(client, from.seq, through)) {
    for (const seal of seals) {
      const why = faultOf(seal, last)
      if (why !== null) return { last, brokenAt: { seq: seal.seq, entryId: seal.id, why } }
      last = { seq: BigInt(seal.seq), hash: seal.hash }
    }
  }
  return { last, brokenAt: null }
}

function faultOf(seal: Seal, last: Link): string | null {
  if (BigInt(seal.seq) !== last.seq + 1n) return `a seal is missing before ${seal.seq}`
  if (seal.id === null) return 'the entry is missing'
  if (!seal.prev_hash.equals(last.hash)) return 'it does not follow the seal before it'
  if (!entryHash(last.hash, seal).equals(seal.hash)) return 'the entry was changed after it was sealed'
  return null
}
