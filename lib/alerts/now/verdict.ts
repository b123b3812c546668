import { durationText, plural, timesText } from '@/lib/core/format-figure'
import type { Tone } from '@/lib/core/verdict'
import type { Measure } from '@/lib/telemetry/measures/measure'
import { RUNBOOKS } from '../runbooks'
import { DEPLOY_NEAR_MS, type NowData } from './read-now'
import { verdictSentence, worstOf } from './verdict-sentence'

/** A piece of a sentence: words, or a moment that the browser writes in its zone. */
export type Piece = string | { at: string }

export type NowVerdict = {
  tone: Tone
  /** What is wrong, and how much of it. */
  lead: Piece[]
  rest: Piece[]
  about: Piece[][]
}

/** The one sentence, and beneath it what one asks next: whom it hits, since when, after what, how fast it burns. */
export function buildVerdict(data: NowData): NowVerdict {
  const effects = measureOf(data, 'M2')
  const duplicates = Number(effects.numerator ?? 0)
  const { tone, text } = verdictSentence(data.conditions, {
    measured: data.freshness.length > 0,
    duplicateEffects: {
      count: duplicates,
      of: Number(effects.denominator ?? 0),
      atRisk: data.duplicates.amounts,
    },
    stuckLocks: {
      count: data.locks.stuck,
      oldestSeconds:
        data.locks.oldestStuckAt === null
          ? null
          : (data.now.getTime() - data.locks.oldestStuckAt.getTime()) / 1000,
    },
    orphans: Number(measureOf(data, 'M6').detail.open ?? 0),
    openCases: data.openCases,
  })
  const about = [
    whom(data, duplicates),
    began(data),
    burn(effects, data),
    cases(data),
    lookedAfter(data),
    next(data),
  ]
  const cut = text.search(CLAUSE_END)
  const [lead, rest] = cut < 0 ? [text, ''] : [text.slice(0, cut + 1), text.slice(cut + 1)]
  return {
    tone,
    lead: withMoments(lead),
    rest: withMoments(rest),
    about: about.filter((pieces) => pieces.length > 0),
  }
}

export function measureOf(data: NowData, id: Measure['id']): Measure {
  const measure = data.measures.find((each) => each.id === id)
  if (measure === undefined) throw new Error(`readMeasures gives no ${id}`)
  return measure
}

/** The first clause carries the state's colour, the rest does not. A comma within a number ends nothing. */
const CLAUSE_END = /[,;:](?= )/

const ISO = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/

/** A moment within the text follows the zone switch. */
export const withMoments = (text: string): Piece[] =>
  text
    .split(ISO)
    .filter((piece) => piece !== '')
    .map((piece) => (ISO.test(piece) ? { at: piece } : piece))

function whom({ duplicates: { keys, clients, more } }: NowData, count: number): Piece[] {
  if (count === 0 || keys === 0) return []
  return [`${more ? 'At least ' : ''}${plural(keys, 'key')} of ${plural(clients, 'client')}.`]
}

/** Since when the worst condition holds, and the deploy just before it. */
function began({ conditions, deploys, duplicates }: NowData): Piece[] {
  const condition = conditions.find(({ kind }) => kind === 'duplicate_effects' || kind === 'store_errors')
  if (condition === undefined) {
    return duplicates.oldestAt === null
      ? []
      : ['First in this range ', { at: duplicates.oldestAt.toISOString() }, '.']
  }
  const sinceMs = new Date(condition.since).getTime()
  const deploy = deploys.findLast(
    ({ at }) => at.getTime() <= sinceMs && sinceMs - at.getTime() <= DEPLOY_NEAR_MS,
  )
  const after =
    deploy === undefined
      ? ''
      : `, ${durationText(sinceMs - deploy.at.getTime())} after ${deploy.service} ${deploy.version}`
  return ['Above its target since ', { at: condition.since }, `${after}.`]
}

function burn(effects: Measure, { range }: NowData): Piece[] {
  if (effects.value === null || !effects.target || effects.value < effects.target) return []
  const span = durationText(range.to.getTime() - range.from.getTime())
  return [`${timesText(effects.value / effects.target)} the rate that the target allows, over ${span}.`]
}

/** Of what the sentence speaks of, who has acknowledged it. */
function lookedAfter({ conditions, acknowledgedBy }: NowData): Piece[] {
  const [worst] = worstOf(conditions)
  const acknowledgement = worst === undefined ? null : acknowledgedBy(worst)
  if (acknowledgement === null) return []
  return [`${acknowledgement.byName} looks after it until `, { at: acknowledgement.until }, '.']
}

/** The first step of its runbook; its page is the first button. */
function next({ conditions }: NowData): Piece[] {
  const [worst] = worstOf(conditions)
  const [step] = worst === undefined ? [] : RUNBOOKS[worst.kind].steps
  return step === undefined ? [] : [`Next: ${step.head}`]
}

function cases({ openCases: { all, p1 } }: NowData): Piece[] {
  if (all === 0) return []
  return [`${plural(all, 'case')} open, ${p1} of them P1.`]
}
