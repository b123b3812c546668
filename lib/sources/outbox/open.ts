import { z } from 'zod'
import { SQLSTATE } from '@/lib/core/sql-state'
import { type MessageOutcome, type MessageSource, SourceUnavailableError } from '../contracts'
import { openSourcePool, sqlState, storeClock } from '../postgres-pool'
import type { OutboxConfig } from './config'
import { COLUMNS, toMessage } from './rows'
import { sampleOutbox } from './sample'

/** Payloads beyond this are not read: the SDK writes none. */
const PAYLOAD_BYTES_MAX = 1_048_576

const DEAD = `
  SELECT ${COLUMNS} FROM idem_outbox o
  WHERE o.state = 'D' AND ($1::timestamptz IS NULL OR (o.settled_at, o.id) > ($1::timestamptz, $2::uuid))
  ORDER BY o.settled_at, o.id LIMIT $3`

const ONE = `
  SELECT ${COLUMNS}, CASE WHEN octet_length(o.payload) <= ${PAYLOAD_BYTES_MAX} THEN o.payload END AS payload
  FROM idem_outbox o WHERE o.id = $1`

const cursorSchema = z.tuple([z.string(), z.uuid()])
const placeSchema = z.uuid()

/** The outbox of our own SDK in the service's PostgreSQL (migration 0003). */
export function openOutboxSource(
  config: OutboxConfig,
  secret: { url: string },
  readOnly = false,
): MessageSource {
  const pool = openSourcePool({
    url: secret.url,
    applicationName: 'idemscope-outbox',
    schema: config.schema,
    readOnly,
    statementTimeoutMs: config.statementTimeoutMs,
    poolMax: config.poolMax,
  })
  const query = (sql: string, values: unknown[] = []) => pool.query(sql, values).catch(explain)
  return {
    kind: 'outbox',
    capabilities: { canRedrive: true, canDiscard: true, canEdit: true },
    consumers: config.consumers,
    storeClock: () => storeClock(pool),
    sample: () => sampleOutbox(pool).catch(explain),
    async readDead(cursor, limit) {
      const now = await storeClock(pool)
      const [at, id] = cursor === null ? [null, null] : cursorSchema.parse(JSON.parse(cursor))
      const items = (await query(DEAD, [at, id, limit + 1])).map(toMessage)
      const last = items.length > limit ? items[limit - 1] : undefined
      return {
        now,
        items: items.slice(0, limit),
        cursor: last === undefined ? null : JSON.stringify([last.settledText, last.id]),
      }
    },
    async readMessage(place) {
      const now = await storeClock(pool)
      const id = placeSchema.safeParse(place)
      const [row] = id.success ? await query(ONE, [id.data]) : []
      if (row === undefined) return { now, message: null }
      const payload = z.instanceof(Uint8Array).nullable().parse(row.payload)
      return { now, message: { ...toMessage(row), payload } }
    },
    async redrive({ place, version }, { actionId, payload }) {
      const sql = 'SELECT idem_outbox_redrive($1, $2, $3, $4)::text AS id'
      const [row] = await query(sql, [place, version, actionId, payload ?? null])
      return outcome(z.object({ id: z.string().nullable() }).parse(row).id)
    },
    async discard({ place, version }, { actionId }) {
      const [row] = await query('SELECT idem_outbox_discard($1, $2, $3) AS done', [place, version, actionId])
      return outcome(z.object({ done: z.boolean() }).parse(row).done ? place : null)
    },
    close: () => pool.close(),
  }
}

const outcome = (id: string | null): MessageOutcome =>
  id === null ? { kind: 'refused', reason: 'changed' } : { kind: 'done', id }

const NOT_THERE: ReadonlySet<string | undefined> = new Set([
  SQLSTATE.undefinedTable,
  SQLSTATE.undefinedFunction,
])

/** Two faults have a remedy of their own: the outbox is not there, or the grants are older than it. */
function explain(error: unknown): never {
  const state = sqlState(error)
  if (NOT_THERE.has(state)) {
    const remedy =
      'There is no outbox in this schema: let the service run migrateOutbox() of @idemscope/sdk, or name the schema that has it'
    throw new SourceUnavailableError(remedy, { cause: error, fault: 'schema_changed', refused: true })
  }
  if (state === SQLSTATE.insufficientPrivilege) {
    const remedy =
      'The console’s role may not use the outbox: run the SQL for its role (Sources, Connect) as the owner of its tables'
    throw new SourceUnavailableError(remedy, { cause: error, fault: 'permission', refused: true })
  }
  throw error
}
