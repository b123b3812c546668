import { z } from 'zod'
import { isUnreadable, type KeyReading, UnreadableKeyError } from '../contracts'
import type { SourcePool } from '../postgres-pool'
import type { NativeConfig } from './config'
import { LEASE_JSON, parseLease, parseRecord, RECORD_JSON, tryRow } from './rows'

/** One statement, so one snapshot: a completion is seen whole or not at all. */
const READ_KEY = `
  SELECT clock_timestamp() AS now,
    (SELECT to_jsonb(x) FROM (${LEASE_JSON} WHERE s.name = $1 AND l.key = idem_key_bytes($2)) x) AS lease,
    (SELECT to_jsonb(x) FROM (
       SELECT n.*, n.expires_at <= clock_timestamp() AS expired FROM (
         ${RECORD_JSON.replace('FROM idem_record r', ", b.headers, encode(b.body, 'base64') AS whole_base64\n  FROM idem_record r")}
         WHERE s.name = $1 AND r.tier = ANY (s.tiers) AND r.key = idem_key_bytes($2)
         ORDER BY r.expires_at DESC LIMIT 1
       ) n
     ) x) AS record`

const rowSchema = z.object({ now: z.date(), lease: z.unknown(), record: z.unknown() })
const extraSchema = z.object({
  expired: z.boolean(),
  // As the SDK stores them: pairs, in order.
  headers: z.array(z.tuple([z.string(), z.string()])).nullable(),
  whole_base64: z.string().nullable(),
})

export async function readKey(
  pool: SourcePool,
  config: NativeConfig,
  scope: string,
  key: string,
): Promise<KeyReading> {
  const [raw] = await pool.query(READ_KEY, [scope, key])
  const { now, ...row } = rowSchema.parse(raw)
  const part = <T extends object>(json: unknown, read: (json: unknown) => T): T | null => {
    if (json === null) return null
    const found = tryRow(json, read)
    if (isUnreadable(found)) throw new UnreadableKeyError(found, now)
    return found
  }
  return {
    now,
    lease: part(row.lease, parseLease),
    record: part(row.record, (json) => parseWhole(json, config)),
  }
}

function parseWhole(json: unknown, config: NativeConfig): NonNullable<KeyReading['record']> {
  const record = parseRecord(json, config)
  const extra = extraSchema.parse(json)
  const body = Buffer.from(extra.whole_base64 ?? '', 'base64').toString('utf8')
  return {
    ...record,
    expired: extra.expired,
    response: { status: record.status ?? 0, headers: Object.fromEntries(extra.headers ?? []), body },
  }
}
