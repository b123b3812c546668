import type pg from 'pg'
import type { Clock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { type Db, inTransaction } from '@/lib/db'
import { followChain, type Link } from './chain'
import { ENTRY_COLUMNS, entryHash, GENESIS, type SealableEntry } from './entry-hash'
import { readLastHead, unknownKeyText, writeHead } from './heads'
import { checkSignature, type SigningKey, signHead } from './signing'

const BATCH_ENTRIES = 1_000

// The alias keeps ORDER BY on the number, not on its text.
const LAST = 'SELECT s.seq::text, s.hash FROM audit_seal s ORDER BY s.seq DESC LIMIT 1'

/** Committed entries without a seal, oldest first. The chain's order is that of sealing, so a late one comes later. */
const UNSEALED = `
  SELECT ${ENTRY_COLUMNS} FROM audit_unsealed u JOIN audit_entry e ON e.id = u.entry_id
  WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.entry_id = u.entry_id)
  ORDER BY u.entry_id LIMIT ${BATCH_ENTRIES}`

const INSERT = `
  INSERT INTO audit_seal (seq, entry_id, prev_hash, hash, sealed_at)
  SELECT s.*, $5 FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) s`

/** Also what a process of an earlier version sealed, which knows of no notes. */
const SEALED = 'DELETE FROM audit_unsealed u USING audit_seal s WHERE s.entry_id = u.entry_id'

export type Sealed = { sealed: number; headHash: string | null; head: Link | null }

type Options = {
  /** The first one signs. Without any the chain is not signed. */
  keys?: readonly SigningKey[]
  /** The head that this process left: nobody may have rewritten it since. */
  seen?: Link | null
}

/**
 * Chains what has committed, signs the head, and returns how many entries it sealed. One sealer at a time holds an
 * advisory lock, so the chain never forks; another waits and goes on from there. Throws when the chain is no
 * continuation of what was signed before: what was rewritten is never signed.
 */
export async function seal(db: Db, clock: Clock, { keys = [], seen = null }: Options = {}): Promise<Sealed> {
  let sealed = 0
  let left = seen
  for (;;) {
    const batch = await inTransaction(db.pool, (client) => sealBatch(client, clock, keys, left))
    sealed += batch.sealed
    left = batch.head
    if (batch.sealed < BATCH_ENTRIES)
      return { sealed, headHash: left?.hash.toString('hex') ?? null, head: left }
  }
}

async function sealBatch(
  client: pg.PoolClient,
  clock: Clock,
  keys: readonly SigningKey[],
  seen: Link | null,
): Promise<{ sealed: number; head: Link | null }> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('idemscope.audit_seal', 0))`)
  const [found] = (await client.query<{ seq: string; hash: Buffer }>(LAST)).rows
  const before: Link = found ? { seq: BigInt(found.seq), hash: found.hash } : { seq: 0n, hash: GENESIS }
  const signedSeq = await assertContinues(client, before, keys, seen)

  const { rows } = await client.query<SealableEntry>(UNSEALED)
  const last = rows.length === 0 ? before : await chain(client, clock, before, rows)
  const [key] = keys
  if (key !== undefined && last.seq > signedSeq) {
    await writeHead(client, signHead(key, { seq: String(last.seq), hash: last.hash, signedAt: clock.now() }))
  }
  return { sealed: rows.length, head: last.seq === 0n ? null : last }
}

async function chain(
  client: pg.PoolClient,
  clock: Clock,
  before: Link,
  rows: SealableEntry[],
): Promise<Link> {
  let { seq, hash } = before
  const seals = rows.map((entry) => {
    const previous = hash
    seq += 1n
    hash = entryHash(previous, entry)
    return { seq, previous, hash }
  })
  await client.query(INSERT, [
    seals.map((each) => each.seq),
    rows.map(({ id }) => id),
    seals.map((each) => each.previous),
    seals.map((each) => each.hash),
    clock.now(),
  ])
  await client.query(SEALED)
  return { seq, hash }
}

/** Up to where the chain is signed. Throws when it is not the one that was signed, or that this process left. */
async function assertContinues(
  client: pg.PoolClient,
  last: Link,
  keys: readonly SigningKey[],
  seen: Link | null,
): Promise<bigint> {
  if (seen !== null && !(await isSealed(client, seen)))
    throw rewritten('what this process sealed is not there any more')
  const head = await readLastHead(client)
  if (head === null) return 0n
  const signature = checkSignature(head, keys)
  if (signature === 'unknown_key') throw rewritten(unknownKeyText(head, keys))
  if (signature === 'invalid') throw rewritten('the signature of its head is not valid')
  const signed: Link = { seq: BigInt(head.seq), hash: head.hash }
  if (!(await isSealed(client, signed))) throw rewritten('its signed head is of another chain')
  // A process without the key, of an earlier version, may have sealed since.
  const { brokenAt } = await followChain(client, signed, last.seq)
  if (brokenAt !== null) throw rewritten(`seal ${brokenAt.seq}: ${brokenAt.why}`)
  return signed.seq
}

async function isSealed(client: pg.PoolClient, { seq, hash }: Link): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM audit_seal WHERE seq = $1 AND hash = $2', [seq, hash])
  return rowCount === 1
}

const rewritten = (why: string): AppError =>
  new AppError('conflict', `The audit is not sealed: ${why}. See docs/guides/operating.md, “The audit”.`)
