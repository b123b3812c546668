import { termsAt } from '@/lib/conditions/terms'
import type { Finding } from '@/lib/conditions/write-conditions'
import { type MessageSourceNow, readMessageSources } from '@/lib/messages/read/overview'
import type { Family, Look } from './family'

/** While a source cannot be read its last figures hold: what waits then still does, as far as anybody knows. */
export const messages: readonly Family[] = [
  {
    kinds: ['outbox_late', 'relay_dead', 'dead_messages', 'consumer_retention'],
    async find(look) {
      const sources = (await readMessageSources(look.ctx)).filter(({ enabled }) => enabled)
      return sources.flatMap((source) => findingsOf(source, look))
    },
  },
]

function findingsOf(source: MessageSourceNow, { now, rules }: Look): Finding[] {
  const { id, name, system, checkedAt, topics, atLeast, relays, heldBackBy } = source
  if (checkedAt === null) return []
  const about = { name, system }
  const at = { system }
  const sum = (pick: (topic: MessageSourceNow['topics'][number]) => number | null) =>
    topics.reduce((total, topic) => total + (pick(topic) ?? 0), 0)
  const [unsent, dead] = [sum((topic) => topic.unsent), sum((topic) => topic.dead)]
  const oldest = topics.flatMap(({ oldestUnsentAt }) => oldestUnsentAt ?? []).toSorted()[0]
  const ageMs = oldest === undefined ? 0 : now.getTime() - Date.parse(oldest)
  const seen = relays?.filter(({ silentMs }) => silentMs <= termsAt(rules, 'relay_dead', at).limits.silentMs)
  const late = termsAt(rules, 'outbox_late', at).limits
  const findings: Finding[] = []
  if (unsent > 0 && (ageMs > late.olderThanMs || unsent > late.countMax)) {
    const heldBy = heldBackBy?.text ?? null
    findings.push({
      kind: 'outbox_late',
      subject: id,
      detail: { ...about, ageMs, unsent, atLeast, oldestAt: oldest, heldBy },
    })
  }
  if (unsent > 0 && seen !== undefined && seen.length === 0) {
    const silent = relays?.map(({ silentMs }) => silentMs) ?? []
    const silentMs = silent.length === 0 ? null : Math.min(...silent)
    findings.push({ kind: 'relay_dead', subject: id, detail: { ...about, unsent, atLeast, silentMs } })
  }
  if (dead > termsAt(rules, 'dead_messages', at).limits.countMax)
    findings.push({ kind: 'dead_messages', subject: id, detail: { ...about, dead, atLeast } })
  if (source.shortConsumers.length > 0)
    findings.push({ kind: 'consumer_retention', subject: id, detail: { ...about, ...shortest(source) } })
  return findings
}

/** The one that is furthest from its horizon, and how many there are. */
function shortest({ shortConsumers }: MessageSourceNow) {
  const [worst] = shortConsumers.toSorted((a, b) => b.horizonMs - b.keptMs - (a.horizonMs - a.keptMs))
  return { ...worst, consumers: shortConsumers.length }
}
