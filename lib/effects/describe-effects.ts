import { countText, plural } from '@/lib/core/format-figure'
import { formatMoneyList, type MoneyJson } from '@/lib/core/money'
import type { Cause } from './causes'
import type { EffectKind } from './list-effects'

type Page = {
  causes: readonly Cause[]
  amounts: readonly MoneyJson[]
  committed: bigint
  /** How many there are of each kind; null = not measured. */
  counts: Record<EffectKind, number | null>
  /** Told by spans; the others are known by reconciliation alone. */
  bySpans: number
  more: boolean
}

/** How many, how much money, over how many keys and causes: one sentence. */
export function effectsSentence(kind: EffectKind, page: Page, counted: number | null = null): string {
  const { causes, amounts, committed, counts, more } = page
  const effects = causes.reduce((sum, cause) => sum + cause.effects.length, 0)
  const keys = causes.reduce((sum, cause) => sum + cause.keys, 0)
  if (effects === 0) {
    if (kind === 'orphan')
      return counts.orphan === null
        ? 'No effect was seen yet: orphans are not measured.'
        : 'Every effect that is known has a record that answers for it.'
    return counts.duplicate === null
      ? 'No effect was seen in this range: duplicates are not measured.'
      : `None of the ${countText(committed)} effects in this range happened twice.`
  }
  const least = more ? 'At least ' : ''
  const risk = amounts.length === 0 ? '' : `${formatMoneyList(amounts)} at risk, `
  const what =
    kind === 'duplicate'
      ? `${plural(effects, 'effect')} happened twice in this range`
      : `${plural(effects, 'effect')} ${effects === 1 ? 'is' : 'are'} open that no finished key answers for`
  return `${least}${what}: ${risk}on ${plural(keys, 'key')}, from ${plural(causes.length, 'cause')}.${sources(effects, page, counted)}`
}

/** Charts count what spans told: why there may be more here than a chart has. */
function sources(effects: number, { bySpans }: Page, counted: number | null): string {
  const found = effects - bySpans
  const alone =
    found === 0
      ? ''
      : ` Spans told of ${countText(bySpans)} of them; ${countText(found)} ${found === 1 ? 'was' : 'were'} found by reconciliation alone.`
  if (counted === null) return alone
  if (counted === bySpans) return `${alone} The chart counts ${countText(counted)}.`
  return `${alone} The chart counted ${countText(counted)} when it was drawn: spans that come late are added to their minute.`
}
