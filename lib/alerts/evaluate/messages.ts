import { termsAt } from '@/lib/conditions/terms'
import type { Finding } from '@/lib/conditions/write-conditions'
import { type MessageSourceNow, readMessageSources } from '@/lib/messages/read/overview'
import type { Family, Look } from './family'

/** While a source cannot be read its last figures hold: what waits then still does, as far as anybody knows. */
export const messages: readonly Family[] = [
  {
    kinds: ['outbox_late', 'relay_dead', 'publishing_held_back', 'dead_messages', 'consumer_retention'],
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
  const held = heldBack(source, now)
  const isHeld = held !== null && held.heldMs > termsAt(rules, 'publishing_held_back', at).limits.olderThanMs
  if (isHeld) findings.push({ kind: 'publishing_held_back', subject: id, detail: { ...about, ...held } })
  // What is told as held back is not told as late too: of the rest, the oldest and the number count.
  const free = isHeld ? unsent - held.unsent : unsent
  const oldestIsHeld = isHeld && oldest !== undefined && oldest >= held.oldestAt
  if (unsent > 0 && ((ageMs > late.olderThanMs && !oldestIsHeld) || free > late.countMax)) {
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

/** For how long an open transaction has held messages back: since its begin or the first of them, whichever came later. */
function heldBack({ heldBackBy, atLeast }: MessageSourceNow, now: Date) {
  if (heldBackBy === null) return null
  const { text: heldBy, since, unsent, oldestAt } = heldBackBy
  const fromMs = Math.max(Date.parse(oldestAt), since === null ? 0 : Date.parse(since))
  return { heldBy, unsent, atLeast, oldestAt, heldMs: now.getTime() - fromMs }
}

/** The one that is furthest from its horizon, and how many there are. */
function shortest({ shortConsumers }: MessageSourceNow) {
  const [worst] = shortConsumers.toSorted((a, b) => b.horizonMs - b.keptMs - (a.horizonMs - a.keptMs))
  return { ...worst, consumers: shortConsumers.length }
}
