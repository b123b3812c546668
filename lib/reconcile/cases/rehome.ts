import { type Db, inTransaction } from '@/lib/db'
import { BREAK_ID_SQL } from './break-id'
import { lockCases } from './case-lock'

/** Cases of operations that were merged into an older one, with the identity that they have there. */
const MOVED = `
  SELECT c.id, m.kept_id, ${BREAK_ID_SQL('m.kept_id')} AS break_id
  FROM reconciliation_case c
  JOIN mirror.merge m ON m.system = c.system AND m.merged_id = c.operation_id
  WHERE c.system = $1`

/**
 * Where the older operation has the same break already, the younger case is resolved into it. The join is on the break
 * as it will be, so two moved cases of one break are taken in order of their first sight.
 */
const RESOLVE_TWINS = `
  WITH moved AS (${MOVED}), ranked AS (
    SELECT v.id, v.kept_id, row_number() OVER (PARTITION BY v.break_id ORDER BY c.first_seen, c.id) AS place,
      EXISTS (SELECT FROM reconciliation_case o WHERE o.break_id = v.break_id) AS taken
    FROM moved v JOIN reconciliation_case c ON c.id = v.id
  ), twin AS (
    UPDATE reconciliation_case c SET operation_id = r.kept_id, last_seen = c.last_seen,
      lifecycle = 'resolved', resolution = CASE WHEN c.lifecycle = 'resolved' THEN c.resolution ELSE 'merged' END,
      resolved_at = coalesce(c.resolved_at, $2), version = c.version + 1
    FROM ranked r WHERE r.id = c.id AND (r.taken OR r.place > 1)
    RETURNING c.id
  )
  INSERT INTO case_event (case_id, at, kind, actor, data)
  SELECT id, $2, 'merged', 'system:reconciliation', '{}' FROM twin`

const MOVE = `
  UPDATE reconciliation_case c SET operation_id = v.kept_id, break_id = v.break_id
  FROM (${MOVED}) v WHERE v.id = c.id`

/** Moves cases with their operations before a run compares: the identity of a break follows its operation. */
export async function rehomeCases(db: Db, system: string, now: Date): Promise<void> {
  await inTransaction(db.pool, async (client) => {
    await lockCases(client, system)
    await client.query(RESOLVE_TWINS, [system, now])
    await client.query(MOVE, [system])
    await client.query(
      `UPDATE mirror.pending p SET operation_id = m.kept_id FROM mirror.merge m
       WHERE p.system = $1 AND m.system = p.system AND m.merged_id = p.operation_id
         AND NOT EXISTS (SELECT FROM mirror.pending k WHERE k.system = $1 AND k.operation_id = m.kept_id)`,
      [system],
    )
    await client.query(
      `DELETE FROM mirror.pending p USING mirror.merge m
       WHERE p.system = $1 AND m.system = p.system AND m.merged_id = p.operation_id`,
      [system],
    )
  })
}
