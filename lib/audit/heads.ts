import type pg from 'pg'
import type { PublicKey, SignedHead } from './signing'

export const HEAD_COLUMNS = 'h.seq::text, h.hash, h.key_id AS "keyId", h.signature, h.signed_at AS "signedAt"'

const LAST = `SELECT ${HEAD_COLUMNS} FROM audit_head h ORDER BY h.seq DESC LIMIT 1`

const INSERT = `
  INSERT INTO audit_head (seq, hash, key_id, signature, signed_at) VALUES ($1, $2, $3, $4, $5)`

type Queryable = Pick<pg.Pool | pg.PoolClient, 'query'>

export async function readLastHead(client: Queryable): Promise<SignedHead | null> {
  const { rows } = await client.query<SignedHead>(LAST)
  return rows[0] ?? null
}

export async function writeHead(client: Queryable, head: SignedHead): Promise<void> {
  await client.query(INSERT, [head.seq, head.hash, head.keyId, head.signature, head.signedAt])
}

/** What to do about a head that was signed with a key which is not here. */
export const unknownKeyText = ({ keyId }: SignedHead, keys: readonly PublicKey[]): string =>
  keys.length === 0
    ? `it is signed with key ${keyId}, and IDEMSCOPE_AUDIT_KEY is not set here`
    : `it is signed with key ${keyId}, which IDEMSCOPE_AUDIT_KEY does not have: keep the earlier key after the new one, with a comma`
