import type pg from 'pg'
import { type Finding, writeConditions } from '@/lib/conditions/write-conditions'
import type { Context } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import type { ConditionKind } from '@/lib/core/condition-kinds'
import type { Role } from '@/lib/core/permissions'
import { listIncidents } from '@/lib/incidents/list-incidents'
import { silentLog } from '@/lib/log'
import type { TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'

const MINUTE_MS = 60_000

/** A console in which conditions are found and cleared by hand, minute by minute. */
export function incidentWorld(console: () => TestDatabase) {
  const clock = manualClock('2026-03-01T12:00:00Z')
  const evaluate = (
    kind: ConditionKind,
    findings: Omit<Finding, 'kind'>[],
    to: Pick<pg.Pool, 'query'> = console().db.pool,
  ) =>
    writeConditions(
      to,
      clock.now(),
      { kinds: [kind] },
      findings.map((finding) => ({ kind, ...finding })),
    )
  return {
    clock,
    after: (minutes: number) => clock.advance(minutes * MINUTE_MS),
    evaluate,
    /** The condition holds in these systems and in no other. */
    holds: (kind: ConditionKind, systems: string[], to?: Pick<pg.Pool, 'query'>) =>
      evaluate(
        kind,
        systems.map((system) => ({ subject: system, detail: { system, count: 1, oldestAt: null } })),
        to,
      ),
    clears: (kind: ConditionKind) => evaluate(kind, []),
    incidents: async () => (await listIncidents(console().db, {}, { limit: 50 })).items,
    as: (role: Role, name = 'Ada'): Context => ({
      db: console().db,
      clock,
      log: silentLog,
      queue: noQueue,
      actor: { kind: 'user', userId: `user-${name}`, name, role, via: 'session' },
      requestId: 'req_incident',
    }),
    async reset() {
      clock.advance(24 * 60 * MINUTE_MS)
      await console().db.pool.query('TRUNCATE incident, condition, alert_episode CASCADE')
    },
  }
}
