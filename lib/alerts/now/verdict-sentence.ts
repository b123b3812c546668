import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import { ageText, durationText, isAhead, plural } from '@/lib/core/format-figure'
import { formatMoneyList, type Money } from '@/lib/core/money'
import type { ConditionView, Verdict, VerdictFigures } from '@/lib/core/verdict'
import { groupText, isGroup } from '../group'
import { retentionText } from './retention-text'

/** The one sentence on Now. Pure: the same conditions and figures always say the same. */
export function verdictSentence(conditions: readonly ConditionView[], figures: VerdictFigures): Verdict {
  const worst = worstOf(conditions)
  const [first] = worst
  if (first !== undefined) return sentenceOf(first, worst.length, figures)
  if (!figures.measured)
    return { tone: 'unknown', text: 'Waiting for the first span: nothing is measured yet.' }
  const { count, atRisk } = figures.duplicateEffects
  if (count > 0) {
    return {
      tone: 'warn',
      text: `${plural(count, 'side effect')} happened twice${moneyText(atRisk)}; the rate is within its target.`,
    }
  }
  if (figures.openCases.p1 > 0) {
    return {
      tone: 'warn',
      text: `No condition fires, but ${plural(figures.openCases.p1, 'P1 case is', 'P1 cases are')} open.`,
    }
  }
  if (figures.stuckLocks.count > 0) {
    const { count: stuck, oldestSeconds } = figures.stuckLocks
    const oldest = oldestSeconds === null ? '' : `, the oldest ${heldText(oldestSeconds * 1000)}`
    return {
      tone: 'warn',
      text: `${plural(stuck, 'lock is', 'locks are')} stuck${oldest}; nothing else is wrong.`,
    }
  }
  if (figures.orphans > 0) {
    return {
      tone: 'warn',
      text: `${plural(figures.orphans, 'side effect has', 'side effects have')} no record that answers for ${figures.orphans === 1 ? 'it' : 'them'}.`,
    }
  }
  return { tone: 'ok', text: 'Every side effect happened once.' }
}

/** What the sentence speaks of: pages before tickets, and of each the worst kind. */
export function worstOf<C extends Pick<ConditionView, 'kind' | 'severity'>>(conditions: readonly C[]): C[] {
  const ranked = SEVERITIES.flatMap((severity) =>
    CONDITION_KINDS.map((kind) =>
      conditions.filter((each) => each.severity === severity && each.kind === kind),
    ),
  )
  return ranked.find((firing) => firing.length > 0) ?? []
}

const heldText = (ms: number): string => (isAhead(ms) ? `stamped ${ageText(ms)}` : `for ${durationText(ms)}`)

/** Conditions of one kind are one sentence: of the first of them, with how many there are. */
function sentenceOf(condition: ConditionView, firing: number, figures: VerdictFigures): Verdict {
  const tone = condition.severity === 'page' ? 'bad' : 'warn'
  return { tone, text: textOf(condition, firing, figures) }
}

function textOf(
  { kind, subject, since, severity, detail }: ConditionView,
  firing: number,
  figures: VerdictFigures,
): string {
  const name = typeof detail.name === 'string' ? detail.name : subject
  const where = subject === 'all' ? '' : ` of ${name}`
  if (isGroup(kind)) return `${groupText(kind, detail)}.`
  switch (kind) {
    case 'duplicate_effects': {
      const { count, of, atRisk } = figures.duplicateEffects
      // What fires is of now; the figures are of the range that is looked at.
      if (count === 0) return 'Side effects happen twice now, above the target; none of them in this range.'
      return `${plural(count, 'side effect')} of ${of.toLocaleString('en-US')} happened twice${moneyText(atRisk)}.`
    }
    case 'store_down':
      return `${name} cannot be read: its keys are not known since ${since}.`
    case 'store_errors':
      return `The idempotency store fails ${share(detail.value)} of its operations${where}.`
    case 'unprotected_requests':
      return `${share(detail.value)} of the keyed requests${where} ran without protection: a retry may charge twice.`
    case 'worker_dead':
      return `No worker gives a sign of life since ${since}: nothing is reconciled, checked or collected.`
    case 'receiver_dead':
      return `No receiver gives a sign of life since ${since}: no telemetry comes in.`
    case 'notification_failing':
      return `${name} cannot be reached: what it was to tell of alerts is not told.`
    case 'outbox_late':
      return `${countOf(detail.unsent, detail.atLeast)} of ${name} wait to be published, the oldest for ${number(detail.ageMs, durationText)}.`
    case 'relay_dead':
      return `No relay of ${name} gives a sign of life: ${countOf(detail.unsent, detail.atLeast)} wait to be published.`
    case 'publishing_held_back':
      return `An open transaction holds back ${countOf(detail.unsent, detail.atLeast, 'at least')} of ${name} for ${number(detail.heldMs, durationText)}: its relays publish nothing newer.`
    case 'dead_messages':
      return `${countOf(detail.dead, detail.atLeast)} of ${name} are dead: nobody publishes or consumes them any more.`
    case 'consumer_retention':
      return `${retentionText(detail)}: what comes in between is applied twice.`
    case 'case_flood':
      return `More cases of one class than the cap: ${name}. ${
        severity === 'ticket' ? 'A client does something wrong.' : 'A source or its mapping is broken.'
      }`
    case 'clock_skew': {
      const apart =
        typeof detail.seconds === 'number' ? ` by ${durationText(Math.abs(detail.seconds) * 1000)}` : ''
      return `The clocks of ${name} and of this console differ${apart}.`
    }
    case 'intent_latency':
      return `Operations${where} take too long to end: P99 is ${millisecondsText(detail.value)}.`
    case 'roll_up_late':
      return `The figures are not of now: no roll-up ended since ${since}.`
    case 'reconciliation_incomplete':
      return `The last reconciliation of ${name} is incomplete: it proves nothing.`
    case 'expired_key_retries':
      return `Keys${where} are retried after they have expired: their operations run again.`
    case 'redeliveries':
      return `${share(detail.value)} of the messages are delivered again.`
    case 'key_reuse':
      return `${name} sends keys again with another body: ${share(detail.value)} of its requests.`
    case 'storage_days':
      return `${name} is full in ${number(detail.leftMs, durationText)}.`
    case 'collection_late':
      return `Expired keys of ${name} wait to be collected for ${number(detail.lateMs, durationText)} too long.`
    case 'partitions_late':
      return 'Partitions are not made ahead: what comes tomorrow cannot be stored.'
    case 'stale_source': {
      const others = firing > 1 ? ` and ${plural(firing - 1, 'other source')}` : ''
      return `${name}${others} cannot be read: what it holds is not known since ${since}.`
    }
    case 'unread_rows':
      return `Rows of ${name} are not read: nothing is concluded from them.`
    case 'stale_telemetry':
      return `No telemetry comes from ${subject} since ${since}.`
    default:
      return kind satisfies never
  }
}

const moneyText = (amounts: readonly Money[]): string =>
  amounts.length === 0 ? '' : `, with ${formatMoneyList(amounts)} at risk`

const number = (value: unknown, text: (value: number) => string): string =>
  typeof value === 'number' ? text(value) : 'not known'

const share = (value: unknown): string =>
  typeof value === 'number'
    ? `${(value * 100).toLocaleString('en-US', { maximumFractionDigits: 2 })} %`
    : 'some'

const countOf = (value: unknown, atLeast: unknown, words = 'At least'): string =>
  `${atLeast === true ? `${words} ` : ''}${typeof value === 'number' ? plural(value, 'message') : 'messages'}`

const millisecondsText = (value: unknown): string =>
  typeof value === 'number'
    ? `${(value / 1000).toLocaleString('en-US', { maximumFractionDigits: 1 })} s`
    : 'above its limit'
