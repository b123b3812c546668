import { createHash } from 'node:crypto'
import type { Pool, PoolClient, QueryResultRow } from 'pg'
import { quoteIdentifier } from './quote'
import { asStoreError } from './unavailable'

/** The pool, with the store's schema, its timeout, and its errors translated. */
export type StoreDatabase = {
  pool: Pool
  schema: string
  /** The one row of a function of the store. */
  callOne<Row extends QueryResultRow>(name: string, values: unknown[], client?: PoolClient): Promise<Row>
}

export function openStoreDatabase(
  pool: Pool,
  schema: string,
  operationTimeoutMs: number,
  prepare: boolean,
): StoreDatabase {
  const prefix = quoteIdentifier(schema)
  // One a function: how many values it takes never changes.
  const statements = new Map<string, { name?: string; text: string }>()
  const statementOf = (name: string, values: unknown[]) => {
    const known = statements.get(name)
    if (known !== undefined) return known
    const text = `SELECT * FROM ${prefix}.${name}(${values.map((_, at) => `$${at + 1}`).join(', ')})`
    const made = prepare ? { name: statementName(schema, name), text } : { text }
    statements.set(name, made)
    return made
  }
  return {
    pool,
    schema,
    async callOne<Row extends QueryResultRow>(name: string, values: unknown[], client?: PoolClient) {
      try {
        // query_timeout is per query in pg, though its types know it only per client.
        const query = { ...statementOf(name, values), values, query_timeout: operationTimeoutMs }
        const result = await (client ?? pool).query<Row>(query)
        const [row] = result.rows
        if (row === undefined) throw new Error(`${name} returned no row`)
        return row
      } catch (error) {
        throw asStoreError(error)
      }
    },
  }
}

/** One a function and schema, on each connection; PostgreSQL cuts names at 63 bytes, so a long schema is hashed. */
const statementName = (schema: string, name: string): string =>
  schema.length <= 30
    ? `${schema}.${name}`
    : `${createHash('sha256').update(schema).digest('hex').slice(0, 24)}.${name}`
