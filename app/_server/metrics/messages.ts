import type { MessageSourceNow } from '@/lib/messages/read/overview'
import { type Family, family, type Sample } from './exposition'

/** What cannot be read now, or cannot tell, has no sample. */
export function messageFamilies(all: readonly MessageSourceNow[], now: Date): Family[] {
  const sources = all.filter(
    ({ enabled, state, checkedAt }) => enabled && state === 'ok' && checkedAt !== null,
  )
  const rows = sources.flatMap(({ name: source, topics }) => topics.map((topic) => ({ ...topic, source })))
  const samples = (read: (row: (typeof rows)[number]) => number | null): Sample[] =>
    rows.flatMap((row) => {
      const value = read(row)
      return value === null ? [] : [{ labels: { source: row.source, topic: row.topic }, value }]
    })
  return [
    family(
      'idemscope_messages_unsent',
      samples(({ unsent }) => unsent),
    ),
    family(
      'idemscope_messages_oldest_unsent_seconds',
      samples(({ oldestUnsentAt }) =>
        oldestUnsentAt === null ? null : Math.max(0, (now.getTime() - Date.parse(oldestUnsentAt)) / 1_000),
      ),
    ),
    family(
      'idemscope_messages_dead',
      samples(({ dead }) => dead),
    ),
    family(
      'idemscope_messages_held_back',
      sources
        .filter(({ kind }) => kind === 'outbox')
        .map(({ name: source, heldBackBy }) => ({ labels: { source }, value: heldBackBy?.unsent ?? 0 })),
    ),
  ]
}
