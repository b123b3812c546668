import { ageText, durationText, isAhead, plural } from './format-figure'
import { formatMoneyList, type Money } from './money'

export const CONDITION_KINDS = [
  'duplicate_effects',
  'store_errors',
  'intent_latency',
  'case_flood',
  'clock_skew',
  'stale_source',
  'unread_rows',
  'stale_telemetry',
] as const
export type ConditionKind = (typeof CONDITION_KINDS)[number]

/** A condition that holds now, as the console shows it. */
export type ConditionView = {
  id: string
  kind: ConditionKind
  /** What it is about: a source, a service, or `all`. */
  subject: string
  since: string
  detail: Record<string, unknown>
}

export type VerdictFigures = {
  /** Any telemetry ever arrived. */
  measured: boolean
  duplicateEffects: { count: number; of: number; atRisk: readonly Money[] }
  stuckLocks: { count: number; oldestSeconds: number | null }
  orphans: number
  openCases: { p1: number; all: number }
}

/** Whose silence makes figures stale, and since when. */
export type Stale = { who: string; since: string }

export type Tone = 'bad' | 'warn' | 'ok' | 'unknown'
/** Also of figures that are not current. */
export type Standing = Tone | 'stale'
export type Verdict = { tone: Tone; text: string }

/** The worst first: what is said is the first that holds. */
const ORDER = [
  'duplicate_effects',
  'store_errors',
  'case_flood',
  'clock_skew',
  'intent_latency',
  'stale_source',
  'unread_rows',
  'stale_telemetry',
] as const

/** The one sentence on Now. Pure: the same conditions and figures always say the same. */
export function verdictSentence(conditions: readonly ConditionView[], figures: VerdictFigures): Verdict {
  for (const kind of ORDER) {
    const firing = conditions.filter((condition) => condition.kind === kind && !isLowFlood(condition))
    const [first] = firing
    if (first !== undefined) return sentenceOf(first, firing.length, figures)
  }
  const low = conditions.find(isLowFlood)
  if (low !== undefined) return sentenceOf(low, 1, figures)
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

const heldText = (ms: number): string => (isAhead(ms) ? `stamped ${ageText(ms)}` : `for ${durationText(ms)}`)

/** A flood of what clients alone can cause, or of warnings. */
export const isLowFlood = ({ kind, detail: { severity } }: Pick<ConditionView, 'kind' | 'detail'>): boolean =>
  kind === 'case_flood' && (severity === 'P3' || severity === 'warn')

function sentenceOf(condition: ConditionView, firing: number, figures: VerdictFigures): Verdict {
  const { detail } = condition
  switch (condition.kind) {
    case 'duplicate_effects': {
      const { count, of, atRisk } = figures.duplicateEffects
      // What fires is of now; the figures are of the range that is looked at.
      if (count === 0)
        return {
          tone: 'bad',
          text: 'Side effects happen twice now, above the target; none of them in this range.',
        }
      return {
        tone: 'bad',
        text: `${plural(count, 'side effect')} of ${of.toLocaleString('en-US')} happened twice${moneyText(atRisk)}.`,
      }
    }
    case 'store_errors':
      return {
        tone: 'bad',
        text: `The idempotency store fails ${percentText(detail.value)} of its operations.`,
      }
    case 'case_flood': {
      const name = typeof detail.name === 'string' ? detail.name : condition.subject
      return isLowFlood(condition)
        ? {
            tone: 'warn',
            text: `More cases of one class than the cap: ${name}. A client does something wrong.`,
          }
        : {
            tone: 'bad',
            text: `More cases of one class than the cap: ${name}. A source or its mapping is broken.`,
          }
    }
    case 'clock_skew': {
      const name = typeof detail.name === 'string' ? detail.name : condition.subject
      const apart =
        typeof detail.seconds === 'number' ? ` by ${durationText(Math.abs(detail.seconds) * 1000)}` : ''
      return { tone: 'warn', text: `The clocks of ${name} and of this console differ${apart}.` }
    }
    case 'intent_latency':
      return {
        tone: 'warn',
        text: `Operations take too long to end: P99 is ${millisecondsText(detail.value)}.`,
      }
    case 'stale_source': {
      const name = typeof detail.name === 'string' ? detail.name : condition.subject
      const others = firing > 1 ? ` and ${plural(firing - 1, 'other source')}` : ''
      return {
        tone: 'warn',
        text: `${name}${others} cannot be read: what it holds is not known since ${condition.since}.`,
      }
    }
    case 'unread_rows': {
      const name = typeof detail.name === 'string' ? detail.name : condition.subject
      return { tone: 'warn', text: `Rows of ${name} are not read: nothing is concluded from them.` }
    }
    case 'stale_telemetry':
      return { tone: 'warn', text: `No telemetry comes from ${condition.subject} since ${condition.since}.` }
    default:
      return condition.kind satisfies never
  }
}

const moneyText = (amounts: readonly Money[]): string =>
  amounts.length === 0 ? '' : `, with ${formatMoneyList(amounts)} at risk`

const percentText = (value: unknown): string =>
  typeof value === 'number'
    ? `${(value * 100).toLocaleString('en-US', { maximumFractionDigits: 2 })} %`
    : 'some'

const millisecondsText = (value: unknown): string =>
  typeof value === 'number'
    ? `${(value / 1000).toLocaleString('en-US', { maximumFractionDigits: 1 })} s`
    : 'above its limit'
