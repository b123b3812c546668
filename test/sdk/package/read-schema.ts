import type { StoreFixture } from '../support'

/** Functions, columns and constraints that migrations have made in a schema, without its name, and the migrations' checksums. */
export async function readSchema(fixture: StoreFixture, schema: string): Promise<string[]> {
  const rows = await fixture.query(
    `WITH home AS (SELECT oid FROM pg_namespace WHERE nspname = $1),
       made AS (SELECT t.* FROM pg_class t JOIN home ON home.oid = t.relnamespace WHERE NOT t.relispartition)
     SELECT p.proname AS name, pg_get_functiondef(p.oid) AS text
       FROM pg_proc p JOIN home ON home.oid = p.pronamespace WHERE p.prokind = 'f'
     UNION ALL
     SELECT made.relname || '.' || a.attname,
            concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
       FROM made JOIN pg_attribute a ON a.attrelid = made.oid AND a.attnum > 0
       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
       WHERE made.relkind IN ('r', 'p')
     UNION ALL
     SELECT made.relname || ' ' || c.conname, pg_get_constraintdef(c.oid)
       FROM made JOIN pg_constraint c ON c.conrelid = made.oid
     UNION ALL
     SELECT 'checksum of ' || name, checksum FROM "${schema}".idem_migration
     ORDER BY 1, 2`,
    [schema],
  )
  const own = new RegExp(`"?${schema}"?\\.|'"?${schema}"?'`, 'g')
  return rows.map((row) => JSON.stringify(row).replace(own, ''))
}
