import type { z } from 'zod'
import { addReceiver, type addReceiverSchema } from '@/lib/alerts/notify/add-receiver'
import type { Context } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import type { Role } from '@/lib/core/permissions'
import { silentLog } from '@/lib/log'
import { createTestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'
import { setSettings, TELLING_HERE } from '../support/settings'
import { startWebhook } from './webhook'

export const REASON = 'the pager of the payments team'

const TABLES = ['acknowledgement', 'notification', 'notification_group', 'alert_episode', 'silence']
type ReceiverInput = z.input<typeof addReceiverSchema>

export type NotifiedConsole = Awaited<ReturnType<typeof startNotifiedConsole>>

/** A console of one's own on a clock that stands still, and a webhook that answers 200. */
export async function startNotifiedConsole(startAt = '2026-03-01T12:00:30Z') {
  setSettings({ ...TELLING_HERE, IDEMSCOPE_ENVIRONMENT: 'staging' })
  const database = await createTestDatabase()
  const hook = await startWebhook()
  const clock = manualClock(startAt)
  const as = (role: Role): Context => ({
    db: database.db,
    clock,
    log: silentLog,
    queue: noQueue,
    actor: { kind: 'user', userId: role, name: `the ${role}`, role, via: 'session' },
    requestId: 'req_notified',
  })
  return {
    database,
    hook,
    clock,
    as,
    /** A receiver of that name, at the webhook unless it says another. */
    receive: (input: Partial<ReceiverInput> = {}) =>
      addReceiver(as('admin'), { name: 'pager', url: hook.url, reason: REASON, ...input } as ReceiverInput),
    /** Nothing fires, nobody is told, and the webhook answers 200. */
    async forget() {
      for (const table of [...TABLES, 'notification_route', 'receiver', 'condition'])
        await database.db.pool.query(`DELETE FROM ${table}`)
      hook.answers({ status: 200, body: 'ok' })
      hook.received.length = 0
    },
    async close() {
      await hook.close()
      await database.close()
    },
  }
}
