import { createHash } from 'node:crypto'
import type { Pool, PoolClient, QueryResultRow } from 'pg'
import { quoteIdentifier } from './quote'
import { endedByWork, type Transaction } from './transaction'
import { asStoreError } from './unavailable'

/** The pool, with the store's schema, its timeout, and its errors translated. */
export type StoreDatabase = {
  pool: Pool
  /** The one row of a function of the store. */
  callOne<Row extends QueryResultRow>(name: string, values: unknown[]): Promise<Row>
  /** The same of functions that one statement calls in turn; `text` gets the schema, and is the same for one name. */
  selectOne<Row extends QueryResultRow>(
    name: string,
    text: (schema: string) => string,
    values: unknown[],
  ): Promise<Row>
  /** The same in a transaction that is open; throws when the work has ended it, before anything is done. */
  callWithin<Row extends QueryResultRow>(
    transaction: Transaction,
    name: string,
    values: unknown[],
  ): Promise<Row>
}

export function openStoreDatabase(
  pool: Pool,
  schema: string,
  operationTimeoutMs: number,
  prepare: boolean,
): StoreDatabase {
  const prefix = quoteIdentifier(schema)
  // One for each function and number of values.
  const statements = new Map<string, { name?: string; text: string }>()
  const statementOf = (name: string, values: unknown[], within: boolean) => {
    const key = `${name}.${values.length}${within ? '.within' : ''}`
    const known = statements.get(key)
    if (known !== undefined) return known
    const call = `${prefix}.${name}(${values.map((_, at) => `$${at + 1}`).join(', ')})`
    const text = within
      ? `SELECT c.* FROM (SELECT WHERE pg_current_xact_id_if_assigned()::text = $${values.length + 1}) here, ${call} c`
      : `SELECT * FROM ${call}`
    return keep(key, text)
  }
  const keep = (key: string, text: string) => {
    const made = prepare ? { name: statementName(schema, key), text } : { text }
    statements.set(key, made)
    return made
  }
  async function run<Row extends QueryResultRow>(
    client: Pool | PoolClient,
    statement: { name?: string; text: string },
    values: unknown[],
  ): Promise<Row | undefined> {
    try {
      // query_timeout is per query in pg, though its types know it only per client.
      const query = { ...statement, values, query_timeout: operationTimeoutMs }
      return (await client.query<Row>(query)).rows[0]
    } catch (error) {
      throw asStoreError(error)
    }
  }
  return {
    pool,
    async selectOne<Row extends QueryResultRow>(
      name: string,
      text: (schema: string) => string,
      values: unknown[],
    ) {
      const row = await run<Row>(pool, statements.get(name) ?? keep(name, text(prefix)), values)
      if (row === undefined) throw new Error(`${name} returned no row`)
      return row
    },
    async callOne<Row extends QueryResultRow>(name: string, values: unknown[]) {
      const row = await run<Row>(pool, statementOf(name, values, false), values)
      if (row === undefined) throw new Error(`${name} returned no row`)
      return row
    },
    async callWithin<Row extends QueryResultRow>(
      { client, xid }: Transaction,
      name: string,
      values: unknown[],
    ) {
      const row = await run<Row>(client, statementOf(name, values, true), [...values, xid])
      if (row === undefined) throw endedByWork()
      return row
    },
  }
}

/** One a function and schema, on each connection; PostgreSQL cuts names at 63 bytes, so a long schema is hashed. */
const statementName = (schema: string, name: string): string =>
  schema.length <= 30
    ? `${schema}.${name}`
    : `${createHash('sha256').update(schema).digest('hex').slice(0, 24)}.${name}`
