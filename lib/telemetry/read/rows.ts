import type pg from 'pg'
import { z } from 'zod'

/** bigint and numeric columns arrive as decimal strings. */
export const bigintColumn = z
  .string()
  .regex(/^-?\d+$/)
  .transform((text) => BigInt(text))

/** Runs one query and parses each row: a raw row is a boundary. */
export async function readRows<S extends z.ZodType>(
  pool: pg.Pool | pg.PoolClient,
  schema: S,
  text: string,
  values: unknown[],
): Promise<z.output<S>[]> {
  const { rows } = await pool.query(text, values)
  return z.array(schema).parse(rows)
}
