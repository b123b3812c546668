import type pg from 'pg'
import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { AcceptedSpan } from '../interpret/interpret'
import { LOCK_MERGED_KEYS, READ_ONLY_SCOPES } from '../sql/lock-keys'
import { element } from './copy-text'
import { type KeyFacts, keyId } from './key-facts'
import { queryPrepared } from './prepared'

const touchedSchema = z.array(z.object({ key_hash: z.string(), scope: z.string() }))

/**
 * Locks the keys and adds what the batch says about them. Into `touched` go all of them, or only those that are not
 * plain; of those that turn out to be known already, `plain` becomes false. Returns how many were touched.
 */
export async function lockKeys(
  client: pg.PoolClient,
  keys: Map<string, KeyFacts>,
  which: 'touch all' | 'touch what is not plain',
): Promise<number> {
  if (keys.size === 0) return 0
  const all = [...keys.values()]
  const array = (write: (facts: KeyFacts) => string) => `{${all.map(write).join()}}`
  const open = all.filter(({ plain }) => !plain).map(hashElement)
  const { rows } = await queryPrepared(client, LOCK_MERGED_KEYS, [
    array(hashElement),
    array(({ scope }) => element(scope)),
    array(({ seenFirst }) => seenFirst),
    array(({ seenLast }) => seenLast),
    array(({ sightingAt }) => sightingAt ?? 'NULL'),
    array(({ expiryAt }) => expiryAt ?? 'NULL'),
    array(({ terminalAt }) => terminalAt ?? 'NULL'),
    array(({ terminalUntil }) => terminalUntil ?? 'NULL'),
    `{${open.join()}}`,
    which === 'touch all',
  ])
  for (const { key_hash: keyHash, scope } of touchedSchema.parse(rows)) {
    const facts = keys.get(keyId(keyHash, scope))
    if (facts) facts.plain = false
  }
  return rows.length
}

/** An element of an array literal, as times are without quotes: there is nothing in them to escape. */
const hashElement = ({ keyHash }: KeyFacts) => `"\\\\x${keyHash}"`

/** A scope that neither the effect span nor its trace told: the key's, when only one scope uses that key; else ''. */
export async function resolveScopes(
  db: Db,
  batch: readonly AcceptedSpan[],
): Promise<readonly AcceptedSpan[]> {
  const hashes = new Set<string>()
  for (const { effect } of batch) if (effect !== null && effect.scope === null) hashes.add(effect.keyHash)
  if (hashes.size === 0) return batch
  const { rows } = await db.pool.query(READ_ONLY_SCOPES, [[...hashes]])
  const scopes = new Map(touchedSchema.parse(rows).map((row) => [row.key_hash, row.scope]))
  return batch.map((each) =>
    each.effect === null || each.effect.scope !== null
      ? each
      : { ...each, effect: { ...each.effect, scope: scopes.get(each.effect.keyHash) ?? '' } },
  )
}
