import { z } from 'zod'
import { SourceUnavailableError } from '../contracts'
import type { SourcePool } from '../postgres-pool'
import type { MappedConfig } from './config'

export type Column = { sql: string; type: string; notNull: boolean }

/** A mapped table as the catalogue has it: names quoted by the server itself, with the types that values are cast to. */
export type Table = {
  from: string
  /** Rows have a version of their own (xmin): a table, not a view. */
  versioned: boolean
  column(name: string): Column
  /** Columns that lead an index. */
  indexed: ReadonlySet<string>
  /** No two rows share a value of it. */
  isUnique(name: string): boolean
  may: { update: boolean; delete: boolean; insert: boolean }
}

const catalogueRow = z.object({
  from: z.string(),
  kind: z.string(),
  columns: z.record(z.string(), z.object({ sql: z.string(), type: z.string(), notNull: z.boolean() })),
  leading: z.array(z.string()),
  uniques: z.array(z.array(z.string())),
  may_update: z.boolean(),
  may_delete: z.boolean(),
  may_insert: z.boolean(),
})

const CATALOGUE = `
  SELECT format('%I.%I', n.nspname, c.relname) AS "from", c.relkind::text AS kind,
    coalesce((SELECT jsonb_object_agg(a.attname, jsonb_build_object('sql', format('%I', a.attname),
        'type', format_type(a.atttypid, NULL), 'notNull', a.attnotnull))
      FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '{}') AS columns,
    coalesce((SELECT jsonb_agg(DISTINCT a.attname) FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
      WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL), '[]') AS leading,
    coalesce((SELECT jsonb_agg((SELECT jsonb_agg(a.attname) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey::smallint[])))
      FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL), '[]') AS uniques,
    has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE') AS may_update,
    has_table_privilege(c.oid, 'DELETE') AS may_delete, has_table_privilege(c.oid, 'INSERT') AS may_insert
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`

/** Looks the mapping's names up. Throws what is missing, by name: the schema changed, or the mapping is wrong. */
async function resolveTable(
  pool: SourcePool,
  { schema, name }: MappedConfig['relation'],
  wanted: readonly string[],
): Promise<Table> {
  const label = `${schema}.${name}`
  const [raw] = await pool.query(CATALOGUE, [schema, name])
  if (raw === undefined) throw changed(`there is no table or view ${label}`)
  const row = catalogueRow.parse(raw)
  const missing = wanted.filter((column) => row.columns[column] === undefined)
  if (missing.length > 0) throw changed(`${label} has no column ${missing.join(', ')}`)
  return {
    from: row.from,
    versioned: row.kind === 'r' || row.kind === 'p',
    column(column) {
      const found = row.columns[column]
      if (found === undefined) throw changed(`${label} has no column ${column}`)
      return found
    },
    indexed: new Set(row.leading),
    isUnique: (column) => row.uniques.some((columns) => columns.length === 1 && columns[0] === column),
    may: { update: row.may_update, delete: row.may_delete, insert: row.may_insert },
  }
}

/** The table as it was looked up, and looked up again after a statement that says that it has changed. */
export function rememberTable(
  reader: SourcePool,
  relation: MappedConfig['relation'],
  wanted: readonly string[],
) {
  let table: Table | null = null
  let resolving: Promise<Table> | undefined
  const forget = (error: unknown): never => {
    // Looked up again by the next call, which then says what is missing.
    if (error instanceof SourceUnavailableError && error.fault === 'schema_changed') resolving = undefined
    throw error
  }
  return {
    current: (): Table | null => table,
    async resolve(): Promise<Table> {
      resolving ??= resolveTable(reader, relation, wanted)
      try {
        table = await resolving
        return table
      } catch (error) {
        resolving = undefined
        throw error
      }
    },
    watch: (pool: SourcePool): SourcePool => ({
      ...pool,
      query: (sql, values) => pool.query(sql, values).catch(forget),
      execute: (sql, values) => pool.execute(sql, values).catch(forget),
    }),
  }
}

const changed = (what: string): SourceUnavailableError =>
  new SourceUnavailableError(`Its tables are not as they were when it was connected: ${what}`, {
    fault: 'schema_changed',
    refused: true,
  })
