import { countText, durationText, plural } from '@/lib/core/format-figure'
import type { MessageSourceNow, MessagesData, TopicNow } from './read-page'

export const sumOf = (
  sources: readonly MessageSourceNow[],
  pick: (topic: TopicNow) => number | null,
): number =>
  sources.reduce((sum, { topics }) => sum + topics.reduce((part, topic) => part + (pick(topic) ?? 0), 0), 0)

/** "12 messages wait to be published, the oldest for 3 min. 5 are dead, of 2 causes." */
export function messagesSentence({ sources, groups, now }: MessagesData): string {
  const on = sources.filter(({ enabled }) => enabled)
  if (on.length === 0) return 'No outbox is connected: what is unsent or dead is not known.'
  if (on.every(({ checkedAt }) => checkedAt === null)) return 'Not measured: no source was read yet.'
  const more = on.some(({ atLeast }) => atLeast) ? 'At least ' : ''
  const unsent = sumOf(on, ({ unsent: count }) => count)
  const dead = sumOf(on, ({ dead: count }) => count)
  const oldest = on
    .flatMap(({ topics }) => topics.flatMap(({ oldestUnsentAt }) => oldestUnsentAt ?? []))
    .toSorted()[0]
  const age =
    oldest === undefined ? '' : `, the oldest for ${durationText(now.getTime() - Date.parse(oldest))}`
  const waits =
    unsent === 0
      ? 'Everything that was committed is published.'
      : `${more}${plural(unsent, 'message')} wait to be published${age}.`
  const died =
    dead === 0
      ? 'None is dead.'
      : `${countText(dead)} ${dead === 1 ? 'is' : 'are'} dead, of ${plural(groups.length, 'cause')}.`
  return `${waits} ${died}`
}
