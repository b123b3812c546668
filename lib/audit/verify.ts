import type { Db } from '@/lib/db'
import { ENTRY_COLUMNS, entryHash, GENESIS, type SealableEntry } from './entry-hash'

const BATCH_SEALS = 2_000

export type ChainReport = {
  ok: boolean
  sealed: number
  /** Committed and not chained yet: the sealer takes them within seconds. */
  unsealed: number
  headHash: string | null
  /** The first place that does not hold, and why. */
  brokenAt?: { seq: string; entryId: string; why: string }
}

const SEALS = `
  SELECT s.seq::text, s.prev_hash, s.hash, ${ENTRY_COLUMNS}
  FROM audit_seal s LEFT JOIN audit_entry e ON e.id = s.entry_id
  WHERE s.seq > $1 ORDER BY s.seq LIMIT ${BATCH_SEALS}`

const UNSEALED =
  'SELECT count(*)::int AS count FROM audit_entry e WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.entry_id = e.id)'

type Seal = SealableEntry & { seq: string; prev_hash: Buffer; hash: Buffer }

/** Recomputes the whole chain. Compare `headHash` with one exported earlier to see that no end was cut off. */
export async function verifyChain(db: Db): Promise<ChainReport> {
  let hash: Buffer = GENESIS
  let seq = 0n
  for (;;) {
    const { rows } = await db.pool.query<Seal>(SEALS, [seq])
    for (const row of rows) {
      const why = fault(row, seq + 1n, hash)
      if (why !== null) {
        const brokenAt = { seq: row.seq, entryId: row.id, why }
        return {
          ok: false,
          sealed: Number(seq),
          unsealed: await countUnsealed(db),
          headHash: hash.toString('hex'),
          brokenAt,
        }
      }
      hash = row.hash
      seq += 1n
    }
    if (rows.length < BATCH_SEALS) break
  }
  return {
    ok: true,
    sealed: Number(seq),
    unsealed: await countUnsealed(db),
    headHash: seq === 0n ? null : hash.toString('hex'),
  }
}

function fault(row: Seal, expected: bigint, previous: Buffer): string | null {
  if (BigInt(row.seq) !== expected) return `a seal is missing before ${row.seq}`
  if (row.id === null) return 'the entry is missing'
  if (!row.prev_hash.equals(previous)) return 'it does not follow the seal before it'
  if (!entryHash(previous, row).equals(row.hash)) return 'the entry was changed after it was sealed'
  return null
}

async function countUnsealed(db: Db): Promise<number> {
  const { rows } = await db.pool.query<{ count: number }>(UNSEALED)
  return rows[0]?.count ?? 0
}
