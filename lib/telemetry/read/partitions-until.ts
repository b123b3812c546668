import type { Db } from '@/lib/db'

const SQL = `
  SELECT to_char(min(last), 'YYYY-MM-DD') AS until FROM (
    SELECT max(to_date(right(c.relname, 8), 'YYYYMMDD')) + 1 AS last
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    WHERE p.relnamespace = 'telemetry'::regnamespace AND c.relname ~ '_\\d{8}$' GROUP BY p.oid) kinds`

/** Up to when, in UTC, there is a partition for everything that comes; null = there is none. */
export async function partitionsUntil(db: Db): Promise<Date | null> {
  const { rows } = await db.pool.query<{ until: string | null }>(SQL)
  const until = rows[0]?.until ?? null
  return until === null ? null : new Date(`${until}T00:00:00Z`)
}
