import type pg from 'pg'
import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { Micros } from '@/lib/telemetry/micros'
import type { FactRow, KeyFacts } from '../rows/fact-row'
import { queryPrepared } from '../rows/prepared'
import { OID, RowWriter } from '../rows/row-writer'
import { keyId } from './key-facts'
import { LOCK_KEYS, READ_ONLY_SCOPES } from './lock-keys-sql'

const scopesSchema = z.array(z.object({ keyHash: z.string(), scope: z.string() }))

const ELEMENT_BYTES_GUESSED = 24

/** Infinity among them, which z.number() refuses. */
const micros = z.custom<Micros>((value) => typeof value === 'number' && !Number.isNaN(value))
const time = micros.nullable()
const knownSchema = z.array(
  z.object({
    keyHash: z.string(),
    scope: z.string(),
    seenFirst: micros,
    seenLast: micros,
    firstRequestAt: time,
    expiryAt: time,
    terminalAt: time,
    terminalUntil: time,
    keyedRequestsStale: z.boolean(),
    effectsStale: z.boolean(),
  }),
)

/** Locks the keys and adds what the batch says about them; those that were known get hold of all that is known. */
export async function lockKeys(client: pg.PoolClient, keys: Map<string, KeyFacts>): Promise<void> {
  if (keys.size === 0) return
  const all = [...keys.values()]
  const array = (oid: number, write: (to: RowWriter, facts: KeyFacts) => void) => {
    const writer = new RowWriter(all.length * ELEMENT_BYTES_GUESSED)
    writer.array(oid, all.length)
    for (const facts of all) write(writer, facts)
    return Buffer.concat(writer.take())
  }
  const { rows } = await queryPrepared(client, LOCK_KEYS, [
    array(OID.bytea, (to, { keyHash }) => to.hex(keyHash)),
    array(OID.text, (to, { scope }) => to.text(scope)),
    array(OID.timestamptz, (to, { seenFirst }) => to.time(seenFirst)),
    array(OID.timestamptz, (to, { seenLast }) => to.time(seenLast)),
    array(OID.timestamptz, (to, { firstRequestAt }) => to.time(firstRequestAt)),
    array(OID.timestamptz, (to, { expiryAt }) => to.time(expiryAt)),
    array(OID.timestamptz, (to, { terminalAt }) => to.time(terminalAt)),
    array(OID.timestamptz, (to, { terminalUntil }) => to.time(terminalUntil)),
  ])
  for (const known of knownSchema.parse(rows)) {
    const facts = keys.get(keyId(known.keyHash, known.scope))
    if (facts) Object.assign(facts, known, { known: true })
  }
}

/** A scope that neither the effect span nor its trace told: the key's, when only one scope uses that key; else ''. */
export async function resolveScopes(db: Db, rows: readonly FactRow[]): Promise<void> {
  const open = rows.flatMap(({ effect }) => (effect !== null && effect.scope === null ? [effect] : []))
  if (open.length === 0) return
  const hashes = [...new Set(open.map(({ keyHash }) => keyHash))]
  const { rows: found } = await db.pool.query(READ_ONLY_SCOPES, [hashes])
  const scopes = new Map(scopesSchema.parse(found).map(({ keyHash, scope }) => [keyHash, scope]))
  for (const effect of open) effect.scope = scopes.get(effect.keyHash) ?? ''
}
