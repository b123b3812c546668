import type pg from 'pg'
import type { Clock } from '@/lib/core/clock'
import { type Db, inTransaction } from '@/lib/db'
import { ENTRY_COLUMNS, entryHash, GENESIS, type SealableEntry } from './entry-hash'

const BATCH_ENTRIES = 1_000
/** Entries commit out of the order of their ids: an ordinary pass looks back this far below the last sealed one. */
const LOOKBACK_SEALS = 10_000

// The alias keeps ORDER BY on the number, not on its text.
const HEAD = 'SELECT s.seq::text, s.hash FROM audit_seal s ORDER BY s.seq DESC LIMIT 1'

/** Committed entries without a seal, oldest first. The chain's order is that of sealing, so a late one comes later. */
const UNSEALED = `
  SELECT ${ENTRY_COLUMNS} FROM audit_entry e
  WHERE e.id > $1 AND NOT EXISTS (SELECT FROM audit_seal s WHERE s.entry_id = e.id)
  ORDER BY e.id LIMIT ${BATCH_ENTRIES}`

const LOW_WATER = 'SELECT coalesce(min(entry_id) - 1, 0)::text AS id FROM audit_seal WHERE seq > $1'

const INSERT = `
  INSERT INTO audit_seal (seq, entry_id, prev_hash, hash, sealed_at)
  SELECT s.*, $5 FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) s`

/**
 * Chains what has committed and returns how many entries it sealed. One sealer at a time holds an advisory lock, so the
 * chain never forks; another waits and goes on from there. `everything` also finds what fell behind the look-back.
 */
export async function seal(
  db: Db,
  clock: Clock,
  options: { everything?: boolean } = {},
): Promise<{ sealed: number; headHash: string | null }> {
  let sealed = 0
  let head: Buffer | null = null
  for (;;) {
    const batch = await inTransaction(db.pool, (client) =>
      sealBatch(client, clock, options.everything ?? false),
    )
    sealed += batch.sealed
    head = batch.head
    if (batch.sealed < BATCH_ENTRIES) return { sealed, headHash: head?.toString('hex') ?? null }
  }
}

async function sealBatch(client: pg.PoolClient, clock: Clock, everything: boolean) {
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('idemscope.audit_seal', 0))`)
  const last = (await client.query<{ seq: string; hash: Buffer }>(HEAD)).rows[0]
  let seq = BigInt(last?.seq ?? 0)
  let hash = last?.hash ?? GENESIS

  const lookback = seq - BigInt(LOOKBACK_SEALS)
  const lowWater =
    everything || lookback <= 0n
      ? '0'
      : (await client.query<{ id: string }>(LOW_WATER, [lookback])).rows[0]?.id
  const { rows } = await client.query<SealableEntry>(UNSEALED, [lowWater])
  if (rows.length === 0) return { sealed: 0, head: last?.hash ?? null }

  const seqs: bigint[] = []
  const previous: Buffer[] = []
  const hashes: Buffer[] = []
  for (const entry of rows) {
    seq += 1n
    seqs.push(seq)
    previous.push(hash)
    hash = entryHash(hash, entry)
    hashes.push(hash)
  }
  await client.query(INSERT, [seqs, rows.map((row) => row.id), previous, hashes, clock.now()])
  return { sealed: rows.length, head: hash }
}
