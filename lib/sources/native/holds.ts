import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { HOLD_KINDS } from '@/lib/core/hold-target'
import { SQLSTATE } from '@/lib/core/sql-state'
import { HOLD_REFUSALS, type HoldSource, type StoreHold } from '../contracts'
import { type SourcePool, sqlState } from '../postgres-pool'
import { holdTargetOf } from './hold-list'

const HOLD = `
  SELECT h.hold_id AS id, h.kind, h.route, h.caller, h.step, h.scope, idem_key_text(h.key) AS key, h.reason,
    h.placed_by, h.placed_at, h.placed_at::text AS placed_at_text, h.ends_at, h.lifted_at, h.lifted_by, h.lift_reason,
    h.lifted_at IS NULL AND h.ends_at > clock_timestamp() AS in_force
  FROM idem_hold h`

const LIST = `
  SELECT * FROM (${HOLD}) h
  WHERE ($1::boolean IS NULL OR h.in_force = $1)
    AND ($2::timestamptz IS NULL OR (h.placed_at, h.id) < ($2::timestamptz, $3::text))
  ORDER BY h.placed_at DESC, h.id DESC LIMIT $4`

const PLACE = `
  SELECT idem_place_hold($1, $2, $3, $4, p_route => $5, p_caller => $6, p_step => $7, p_scope => $8, p_key => $9,
    p_ends_at => $10, p_lasts_ms => $11) AS said`

const TARGETS = `
  SELECT
    ARRAY(SELECT DISTINCT substr(s.name, strpos(s.name, '/') + 1) FROM idem_scope s ORDER BY 1 LIMIT $1) AS routes,
    ARRAY(SELECT DISTINCT split_part(s.name, '/', 1) FROM idem_scope s ORDER BY 1 LIMIT $1) AS callers`

const word = z.string().nullable()
const rowSchema = z.object({
  id: z.string(),
  kind: z.enum(HOLD_KINDS),
  route: word,
  caller: word,
  step: word,
  scope: word,
  key: word,
  reason: z.string(),
  placed_by: z.string(),
  placed_at: z.date(),
  placed_at_text: z.string(),
  ends_at: z.date(),
  lifted_at: z.date().nullable(),
  lifted_by: word,
  lift_reason: word,
  in_force: z.boolean(),
})
const placedSchema = z.object({ said: z.enum(['placed', ...HOLD_REFUSALS]) })
const liftedSchema = z.object({ said: z.enum(['lifted', 'ended', 'unknown']) })
const targetsSchema = z.object({ routes: z.array(z.string()), callers: z.array(z.string()) })

/** Holds of our own store: its table is read, and changed through the functions of the SDK's migration 0002. */
export function openHolds(pool: SourcePool): HoldSource {
  const query = (sql: string, values: unknown[]) => pool.query(sql, values).catch(explain)
  return {
    async list({ inForce, after, limit }) {
      const values = [inForce, after?.placedAtText ?? null, after?.id ?? null, limit]
      return (await query(LIST, values)).map(toHold)
    },
    async read(id) {
      const [row] = await query(`${HOLD} WHERE h.hold_id = $1`, [id])
      return row === undefined ? null : toHold(row)
    },
    async place({ id, target, reason, by, end }) {
      const { kind, route, caller, step, scope, key } = { ...NOTHING, ...target }
      const ends = 'at' in end ? [end.at, null] : [null, end.lastsMs]
      const values = [id, kind, reason, by, route, caller, step, scope, key, ...ends]
      return placedSchema.parse((await query(PLACE, values))[0]).said
    },
    async lift(id, { reason, by }) {
      const rows = await query('SELECT idem_lift_hold($1, $2, $3) AS said', [id, reason, by])
      return liftedSchema.parse(rows[0]).said
    },
    targets: async (limit) => targetsSchema.parse((await query(TARGETS, [limit]))[0]),
  }
}

const NOTHING = { route: null, caller: null, step: null, scope: null, key: null }

function toHold(raw: Record<string, unknown>): StoreHold {
  const row = rowSchema.parse(raw)
  return {
    id: row.id,
    target: holdTargetOf(row.kind, row),
    reason: row.reason,
    placedBy: row.placed_by,
    placedAt: row.placed_at,
    placedAtText: row.placed_at_text,
    endsAt: row.ends_at,
    liftedAt: row.lifted_at,
    liftedBy: row.lifted_by,
    liftReason: row.lift_reason,
    inForce: row.in_force,
  }
}

const NOT_THERE: ReadonlySet<string | undefined> = new Set([
  SQLSTATE.undefinedTable,
  SQLSTATE.undefinedFunction,
])

/** Two faults have a remedy of their own: the store is older than holds, or its grants are. */
function explain(error: unknown): never {
  const state = sqlState(error)
  if (NOT_THERE.has(state)) {
    throw new AppError(
      'unprocessable',
      'Holds need migration 0002_holds.sql of the SDK in this store: upgrade @idemscope/sdk in the service and let it run migrate().',
      { meta: { reason: 'holds_need_migration' }, cause: error },
    )
  }
  if (state === SQLSTATE.insufficientPrivilege) {
    throw new AppError(
      'unprocessable',
      'Holds need rights that the console’s role does not have in this store: run the SQL for its role (Sources, Connect) once more, as the owner of its tables.',
      { meta: { reason: 'holds_need_grant' }, cause: error },
    )
  }
  throw error
}
