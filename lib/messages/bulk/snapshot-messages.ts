import type { Context } from '@/lib/context'
import { actorRef } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { BULK_MAX } from '@/lib/core/bulk'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { toJsonValue } from '@/lib/core/json-value'
import type { MessageVerb } from '@/lib/core/states'
import { env } from '@/lib/env'
import { type ConsumerAsker, createConsumerAsker } from '../dedup/ask-consumers'
import type { MessageRefusalReason } from '../dedup/decide'
import { type DeadFilter, type DeadLetter, deadFilterSchema, listDeadLetters } from '../read/dead-letters'
import { type Inspected, inspectMessage } from '../verbs/inspect-message'
import type { SnapshotItem } from './snapshot'

/** Of one act; more of the same are another one. */
const MESSAGES_MAX = 1_000
const SNAPSHOT_EXPIRES_MS = 15 * 60_000
const PAGE_ROWS = 200
const SHOWN_MAX = 100
/** Messages that are looked at together: each asks its source and its consumers' stores. */
const LOOKED_TOGETHER = 8

type MessageExclusion = { id: string; place: string; reason: MessageRefusalReason; text: string }

export type MessageSnapshot = {
  snapshotId: string
  verb: MessageVerb
  environment: string
  count: number
  /** Of those, on routes on which money moves. */
  money: number
  /** It is proposed: more than 100, or money moves. */
  needsSecondPerson: boolean
  samples: { id: string; place: string; topic: string; key: string | null; type: string | null }[]
  /** What nothing is done to, by why; and the first of them. */
  excluded: { reason: MessageRefusalReason; count: number }[]
  excludedShown: MessageExclusion[]
  /** More matched than one act takes. */
  more: boolean
  expiresAt: string
}

/** Takes a snapshot of what a filter matches now: each message and its consumers are read, as the execution does again. */
export async function snapshotMessages(
  ctx: Context,
  verb: MessageVerb,
  filter: DeadFilter,
): Promise<MessageSnapshot> {
  authorise(ctx, `message.${verb}`)
  const wanted = deadFilterSchema.parse(filter)
  if (Object.keys(wanted).length === 0)
    throw new AppError('invalid', 'Name the messages: by ids, or by source, topic or fingerprint.')
  const { letters, more } = await collect(ctx, wanted)
  const { items, excluded, money } = sort(letters, await lookAtAll(ctx, verb, letters))
  const now = ctx.clock.now()
  const preview = {
    environment: env().IDEMSCOPE_ENVIRONMENT,
    count: items.length,
    money,
    needsSecondPerson: money > 0 || items.length > BULK_MAX,
    samples: items
      .slice(0, SHOWN_MAX)
      .map(({ letter: { id, place, topic, key, type } }) => ({ id, place, topic, key, type })),
    excluded: countByReason(excluded),
    excludedShown: excluded.slice(0, SHOWN_MAX),
    more,
  }
  const { id: snapshotId, expiresAt } = await ctx.db.prisma.snapshot.create({
    data: {
      id: newId('snap'),
      verb,
      filter: toJsonValue(wanted) as object,
      items: items.map(({ item }) => item),
      preview: toJsonValue(preview) as object,
      createdBy: actorRef(ctx.actor),
      createdAt: now,
      expiresAt: new Date(now.getTime() + SNAPSHOT_EXPIRES_MS),
    },
  })
  return { snapshotId, verb, ...preview, expiresAt: expiresAt.toISOString() }
}

async function collect(ctx: Context, filter: DeadFilter): Promise<{ letters: DeadLetter[]; more: boolean }> {
  const letters: DeadLetter[] = []
  let cursor: string | undefined
  do {
    const page = await listDeadLetters(ctx.db, filter, { limit: PAGE_ROWS, cursor })
    letters.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined && letters.length < MESSAGES_MAX)
  const more = cursor !== undefined || letters.length > MESSAGES_MAX
  return { letters: letters.slice(0, MESSAGES_MAX), more }
}

async function lookAtAll(
  ctx: Context,
  verb: MessageVerb,
  letters: readonly DeadLetter[],
): Promise<Inspected[]> {
  const asker: ConsumerAsker = createConsumerAsker(ctx)
  const looked: Inspected[] = []
  for (let start = 0; start < letters.length; start += LOOKED_TOGETHER) {
    const some = letters
      .slice(start, start + LOOKED_TOGETHER)
      .map(({ source: sourceId, place, version }) =>
        inspectMessage(ctx, verb, { sourceId, place, version, payloadHash: null }, asker),
      )
    looked.push(...(await Promise.all(some)))
  }
  return looked
}

function sort(letters: readonly DeadLetter[], looked: readonly Inspected[]) {
  const items: { letter: DeadLetter; item: SnapshotItem }[] = []
  const excluded: MessageExclusion[] = []
  let money = 0
  for (const [index, letter] of letters.entries()) {
    const found = looked[index]
    if (found === undefined) continue
    const { id, place, version, source: sourceId } = letter
    if (found.kind === 'refused') {
      excluded.push({ id, place, reason: found.reason, text: found.text })
      continue
    }
    if (found.needsSecondPerson) money += 1
    items.push({ letter, item: { letter: id, sourceId, place, version } })
  }
  return { items, excluded, money }
}

function countByReason(excluded: readonly MessageExclusion[]): MessageSnapshot['excluded'] {
  const counts = new Map<MessageRefusalReason, number>()
  for (const { reason } of excluded) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count)
}
