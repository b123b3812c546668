import { listUsers } from '@/lib/access/users'
import { listActions } from '@/lib/actions/read'
import { namesOf } from '@/lib/core/names'
import { MESSAGE_ACTION_KINDS } from '@/lib/core/states'
import { groupDeadLetters, listDeadLetters } from '@/lib/messages/read/dead-letters'
import { readBacklog, readMessageSources } from '@/lib/messages/read/overview'
import { listBulkRuns } from '@/lib/runs/bulk/list-bulk-runs'
import { readDeliveriesByConsumer } from '@/lib/telemetry/read/deliveries-by-consumer'
import { readDeliveryTotals } from '@/lib/telemetry/read/delivery-totals'
import type { OpenedPage } from '../_page/open-page'
import { killSwitchNow } from '../_shell/reads'
import { loadQuery, toFilter } from './query'

const ROWS_SHOWN = 50
const PROPOSALS_SHOWN = 20

export type { DeadGroup, DeadLetter } from '@/lib/messages/read/dead-letters'
export type { MessageSourceNow, TopicNow } from '@/lib/messages/read/overview'
export type MessagesData = Awaited<ReturnType<typeof readMessagesPage>>

/** What is unsent and dead, what died of what, and what this person may do. */
export async function readMessagesPage({ ctx, me, asked, now, range, place, forbid }: OpenedPage) {
  const query = await loadQuery(asked)
  const filter = toFilter(query)
  const [sources, groups, dead, backlog, deliveries, byConsumer, runs, waiting, users, off] =
    await Promise.all([
      readMessageSources(ctx),
      groupDeadLetters(ctx.db, { ...filter, fingerprint: undefined }),
      listDeadLetters(ctx.db, filter, { limit: ROWS_SHOWN, cursor: query.cursor ?? undefined }),
      readBacklog(ctx, range),
      readDeliveryTotals(ctx.db, range),
      readDeliveriesByConsumer(ctx.db, range),
      listBulkRuns(ctx.db, now, MESSAGE_ACTION_KINDS),
      listActions(ctx.db, { kind: MESSAGE_ACTION_KINDS, state: ['proposed'] }, { limit: PROPOSALS_SHOWN }),
      listUsers(ctx.db),
      killSwitchNow(),
    ])
  const refusal = off.on ? 'Writes are switched off' : null
  return {
    ...{ query, filter, sources, groups, dead, backlog, deliveries, runs, place, now },
    names: namesOf(sources),
    ...{ me, byConsumer, proposals: waiting.items },
    people: namesOf(users),
    mayDecide: forbid('action.approve'),
    refusal: {
      redrive: forbid('message.redrive') ?? refusal,
      discard: forbid('message.discard') ?? refusal,
    },
  }
}
