import type pg from 'pg'
import { expect } from 'vitest'

type Rows = Record<string, Record<string, unknown>[]>

/** Every row of every table, by table; those of partitions by their parent. Without the bookkeeping of migrations. */
export async function readAllRows(db: Pick<pg.Client, 'query'>): Promise<Rows> {
  const { rows: tables } = await db.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema$)'
       AND c.relname NOT IN ('_prisma_migrations', 'idem_migration')
     ORDER BY name`,
  )
  const found: Rows = {}
  for (const { name } of tables) {
    const { rows } = await db.query<{ row: Record<string, unknown> }>(
      `SELECT to_jsonb(t) AS row FROM ${name} t ORDER BY to_jsonb(t)::text`,
    )
    found[name] = rows.map(({ row }) => row)
  }
  return found
}

/** All of `before` is in `after`, value by value; columns and rows may have been added. */
export function expectRowsKept(before: Rows, after: Rows): void {
  for (const [table, rows] of Object.entries(before)) {
    const kept = rows.map((row) => expect.objectContaining(row))
    expect(after[table], table).toEqual(expect.arrayContaining(kept))
  }
}
