import { createHash } from 'node:crypto'
import type pg from 'pg'

const names = new Map<string, string>()

/**
 * Runs a statement under a name, so that a connection plans it once: planning over a dozen partitions costs more than
 * a small batch's work. Only for texts that are constants of this folder.
 */
export function queryPrepared(
  client: pg.PoolClient,
  text: string,
  values: unknown[] = [],
): Promise<pg.QueryResult> {
  let name = names.get(text)
  if (name === undefined) {
    name = `telemetry_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
    names.set(text, name)
  }
  return client.query({ name, text, values })
}
