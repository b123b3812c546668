import type { Db } from '@/lib/db'
import { type Break, followChain, type Link } from '../chain'
import { GENESIS } from '../entry-hash'
import { readLastHead, unknownKeyText } from '../heads'
import { checkSignature, type PublicKey, type Signature, type SignedHead } from '../signing'

export type ChainReport = {
  ok: boolean
  sealed: number
  /** Committed and not chained yet: the sealer takes them within seconds. */
  unsealed: number
  headHash: string | null
  /** The last signed head; null = none was signed, so that the owner of the tables could have rewritten them all. */
  signed: { seq: string; at: string; keyId: string; signature: Signature } | null
  /** The first place that does not hold, and why. */
  brokenAt?: Break
}

const UNSEALED =
  'SELECT count(*)::int AS count FROM audit_entry e WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.entry_id = e.id)'

const SEAL = 'SELECT s.hash, s.entry_id::text AS "entryId" FROM audit_seal s WHERE s.seq = $1'

/**
 * Recomputes the whole chain, and checks that its signed head is its own. Compare `headHash` with one exported earlier to
 * see that no end was cut off.
 */
export async function verifyChain(db: Db, keys: readonly PublicKey[] = []): Promise<ChainReport> {
  // The head first: what is sealed while the chain is read is beyond it.
  const head = await readLastHead(db.pool)
  const { last, brokenAt: broken } = await followChain(db.pool, { seq: 0n, hash: GENESIS })
  const brokenAt = broken ?? (head === null ? null : await faultOfHead(db, head, last, keys))
  return {
    ok: brokenAt === null,
    sealed: Number(last.seq),
    unsealed: await countUnsealed(db),
    headHash: last.seq === 0n ? null : last.hash.toString('hex'),
    signed:
      head === null
        ? null
        : {
            seq: head.seq,
            at: head.signedAt.toISOString(),
            keyId: head.keyId,
            signature: checkSignature(head, keys),
          },
    ...(brokenAt === null ? {} : { brokenAt }),
  }
}

async function faultOfHead(
  db: Db,
  head: SignedHead,
  last: Link,
  keys: readonly PublicKey[],
): Promise<Break | null> {
  const { rows } = await db.pool.query<{ hash: Buffer; entryId: string }>(SEAL, [head.seq])
  const place = { seq: head.seq, entryId: rows[0]?.entryId ?? '' }
  if (BigInt(head.seq) > last.seq)
    return { ...place, why: 'a signed head is beyond the end: seals were cut off' }
  if (!rows[0]?.hash.equals(head.hash)) return { ...place, why: 'the signed head is of another chain' }
  switch (checkSignature(head, keys)) {
    case 'valid':
      return null
    case 'invalid':
      return { ...place, why: 'the signature of the head is not valid' }
    case 'unknown_key':
      return keys.length === 0 ? null : { ...place, why: unknownKeyText(head, keys) }
  }
}

async function countUnsealed(db: Db): Promise<number> {
  const { rows } = await db.pool.query<{ count: number }>(UNSEALED)
  return rows[0]?.count ?? 0
}
