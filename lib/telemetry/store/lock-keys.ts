import type pg from 'pg'
import { z } from 'zod'
import type { Db } from '@/lib/db'
import { LOCK_KEYS, READ_ONLY_SCOPES } from '../sql/lock-keys'
import { element } from './copy-text'
import { type KeyFacts, keyId } from './key-facts'
import { queryPrepared } from './prepared'
import type { FactRow } from './rows'

const scopesSchema = z.array(z.object({ keyHash: z.string(), scope: z.string() }))

const time = z.string().nullable()
const knownSchema = z.array(
  z.object({
    keyHash: z.string(),
    scope: z.string(),
    seenFirst: z.string(),
    seenLast: z.string(),
    sightingAt: time,
    expiryAt: time,
    terminalAt: time,
    terminalUntil: time,
    sightingsStale: z.boolean(),
    effectsStale: z.boolean(),
  }),
)

/** Locks the keys and adds what the batch says about them; those that were known get hold of all that is known. */
export async function lockKeys(client: pg.PoolClient, keys: Map<string, KeyFacts>): Promise<void> {
  if (keys.size === 0) return
  const all = [...keys.values()]
  const array = (write: (facts: KeyFacts) => string) => `{${all.map(write).join()}}`
  const { rows } = await queryPrepared(client, LOCK_KEYS, [
    array(hashElement),
    array(({ scope }) => element(scope)),
    array(({ seenFirst }) => seenFirst),
    array(({ seenLast }) => seenLast),
    array(({ sightingAt }) => sightingAt ?? 'NULL'),
    array(({ expiryAt }) => expiryAt ?? 'NULL'),
    array(({ terminalAt }) => terminalAt ?? 'NULL'),
    array(({ terminalUntil }) => terminalUntil ?? 'NULL'),
  ])
  for (const known of knownSchema.parse(rows)) {
    const facts = keys.get(keyId(known.keyHash, known.scope))
    if (facts) Object.assign(facts, known, { known: true })
  }
}

/** An element of an array literal, as times are without quotes: there is nothing in them to escape. */
const hashElement = ({ keyHash }: KeyFacts) => `"\\\\x${keyHash}"`

/** A scope that neither the effect span nor its trace told: the key's, when only one scope uses that key; else ''. */
export async function resolveScopes(db: Db, rows: readonly FactRow[]): Promise<void> {
  const open = rows.flatMap(({ effect }) => (effect !== null && effect.scope === null ? [effect] : []))
  if (open.length === 0) return
  const hashes = [...new Set(open.map(({ keyHash }) => keyHash))]
  const { rows: found } = await db.pool.query(READ_ONLY_SCOPES, [hashes])
  const scopes = new Map(scopesSchema.parse(found).map(({ keyHash, scope }) => [keyHash, scope]))
  for (const effect of open) effect.scope = scopes.get(effect.keyHash) ?? ''
}
