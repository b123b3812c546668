import type { Context } from '@/lib/context'
import { type Clock, systemClock } from '@/lib/core/clock'
import type { Role } from '@/lib/core/permissions'
import type { Db } from '@/lib/db'
import { silentLog } from '@/lib/log'
import { noQueue } from './no-queue'

/** Somebody of that role, signed in. Of nobody's row: for verbs that do not look the person up. */
export const userContext = (db: Db, role: Role, clock: Clock = systemClock): Context => ({
  db,
  clock,
  log: silentLog,
  queue: noQueue,
  requestId: 'req_1',
  actor: { kind: 'user', userId: 'u1', name: 'Ada', role, via: 'session' },
})
