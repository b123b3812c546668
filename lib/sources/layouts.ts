import { z } from 'zod'
import { brandurConfigSchema } from './brandur/config'
import type { DetectedLayout } from './contracts'
import { mappedOutboxConfigSchema } from './mapped-outbox/config'
import { knownMessages } from './mapped-outbox/known'
import { openSourcePool } from './postgres-pool'
import { recipeConfigSchema } from './recipe/config'

type Layout = {
  adapter: 'native' | 'outbox' | 'rocket-rides-atomic' | 'guide-recipe' | 'mapped-postgres'
  library: string
}

/**
 * Layouts by their columns. A table's name says nothing: three libraries that share no column share the name
 * `idempotency_records`. All must be there; the first that fits wins, so the most telling come first.
 */
const SIGNATURES: readonly (Layout & { columns: readonly string[] })[] = [
  {
    library: 'Idemscope SDK',
    adapter: 'native',
    columns: ['scope_id', 'fence', 'lease_until', 'heartbeat_at', 'fingerprint'],
  },
  {
    library: 'Idemscope SDK, outbox',
    adapter: 'outbox',
    columns: ['lane', 'seq', 'xid', 'settled_at', 'retry_at', 'topic', 'payload'],
  },
  {
    library: 'rocket-rides-atomic',
    adapter: 'rocket-rides-atomic',
    columns: ['idempotency_key', 'locked_at', 'recovery_point', 'request_path', 'response_code', 'user_id'],
  },
  {
    library: 'guide recipe',
    adapter: 'guide-recipe',
    columns: ['idempotency_key', 'user_id', 'request_hash', 'response_status', 'response_body', 'expires_at'],
  },
  {
    library: 'idempotency4j',
    adapter: 'mapped-postgres',
    columns: ['idempotency_key', 'status', 'locked_at', 'lock_expires_at', 'expires_at'],
  },
]

const CANDIDATES = `
  SELECT n.nspname AS schema, c.relname AS "table", greatest(c.reltuples, 0)::float8 AS rows,
    array_agg(a.attname::text) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname NOT LIKE 'pg_toast%' AND has_schema_privilege(n.oid, 'USAGE')
  GROUP BY n.nspname, c.relname, c.reltuples
  HAVING bool_or(a.attname LIKE '%idempot%' OR a.attname = 'fence'
      OR lower(replace(a.attname, '_', '')) IN ('payload', 'content', 'consumerid', 'eventdata', 'payloadjson', 'data', 'body'))
  ORDER BY n.nspname, c.relname LIMIT 500`

const candidateRow = z.object({
  schema: z.string(),
  table: z.string(),
  rows: z.number(),
  columns: z.array(z.string()),
})

/** Looks through a database for idempotency tables and for tables of messages. Reads the catalogue only. */
export async function detectLayouts(secret: { url: string }): Promise<DetectedLayout[]> {
  const pool = openSourcePool({
    url: secret.url,
    applicationName: 'idemscope-detect',
    readOnly: true,
    statementTimeoutMs: 5_000,
    poolMax: 1,
  })
  try {
    const rows = (await pool.query(CANDIDATES)).map((raw) => candidateRow.parse(raw))
    return rows.flatMap(({ schema, table, rows: rowsEstimate, columns }) => {
      const layout = layoutOf(columns)
      if (layout === null) return messagesIn(schema, table, columns, rowsEstimate)
      const config = configOf(layout, schema, table)
      return [{ ...layout, place: `${schema}.${table}`, config, rowsEstimate }]
    })
  } finally {
    await pool.close()
  }
}

function messagesIn(
  schema: string,
  table: string,
  columns: readonly string[],
  rowsEstimate: number,
): DetectedLayout[] {
  const known = knownMessages(table, columns)
  if (known === null) return []
  const { library, adapter } = known
  const config = mappedOutboxConfigSchema.parse({ relation: { schema, name: table }, ...known.config })
  return [{ library, adapter, place: `${schema}.${table}`, config, rowsEstimate }]
}

/** Pure: which library writes a table with these columns; null = none that we know. */
export function layoutOf(columns: readonly string[]): Layout | null {
  const found = SIGNATURES.find((signature) => signature.columns.every((column) => columns.includes(column)))
  return found === undefined ? null : { library: found.library, adapter: found.adapter }
}

function configOf({ adapter, library }: Layout, schema: string, table: string): Record<string, unknown> {
  if (adapter === 'native' || adapter === 'outbox') return { schema }
  if (adapter === 'rocket-rides-atomic') return brandurConfigSchema.parse({ schema, table })
  if (adapter === 'guide-recipe') return recipeConfigSchema.parse({ schema, table })
  return library === 'idempotency4j' ? idempotency4j(schema, table) : {}
}

const idempotency4j = (schema: string, name: string) => ({
  relation: { schema, name },
  columns: { key: 'idempotency_key', createdAt: 'locked_at', holderSince: 'locked_at' },
  scope: { caller: { literal: '' }, method: { literal: '*' }, route: { literal: '/' } },
  state: {
    kind: 'values',
    column: 'status',
    leased: ['IN_PROGRESS'],
    completed: ['COMPLETE'],
    retryable: ['FAILED'],
  },
  lease: { until: 'lock_expires_at' },
  expiry: { column: 'expires_at' },
  release: { set: { status: 'FAILED' } },
})
