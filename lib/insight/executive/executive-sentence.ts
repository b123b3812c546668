import { countText, percentText, plural, targetPercentText } from '@/lib/core/format-figure'
import { formatMoneyList } from '@/lib/core/money'
import type { ExecutiveFigures, Sentence } from './executive'

/** The one sentence on top. Pure: the same figures always say the same. */
export function executiveSentence(figures: ExecutiveFigures): Sentence {
  const { effects, confirmed } = figures
  const [main, tone] = effects.rate === null ? unmeasured(figures) : measured(figures, effects.rate)
  const cases = confirmed?.cases ?? 0
  const parts = [main]
  if (effects.rate !== null && effects.duplicates === 0 && cases > 0)
    parts.push(`reconciliation found ${plural(cases, 'duplicate')} that no trace shows`)
  if (effects.duplicates !== 0 || cases > 0) parts.push(moneyPart(figures))
  if (confirmed === null && tone !== 'unknown') parts.push('nothing was compared with the provider yet')
  return { tone, text: `${parts.join('; ')}.${coverage(figures)}` }
}

function measured({ days, effects, confirmed }: ExecutiveFigures, rate: number): [string, Sentence['tone']] {
  const { committed, duplicates, target } = effects
  const when = `in the last ${plural(days, 'day')}`
  if (duplicates === 0) {
    const says = `No trace shows a side effect that happened twice ${when}, of ${countText(committed)}`
    if ((confirmed?.cases ?? 0) > 0) return [says, 'warn']
    return [`Every one of ${countText(committed)} side effects happened once ${when}`, 'ok']
  }
  const above = rate >= target
  const against = `${above ? 'above' : 'within'} the target of ${targetPercentText(target)} %`
  const happened = duplicates === 1 ? '1 of' : `${countText(duplicates)} of`
  return [
    `${happened} ${countText(committed)} side effects happened twice ${when} (${percentText(rate)} %), ${against}`,
    above ? 'bad' : 'warn',
  ]
}

/** Nothing told of side effects: what reconciliation knows is all there is. */
function unmeasured({ days, confirmed }: ExecutiveFigures): [string, Sentence['tone']] {
  const says = `Side effects are not measured: no service told of one in the last ${plural(days, 'day')}`
  if (confirmed === null) return [`${says}, and nothing was compared yet`, 'unknown']
  if (confirmed.cases === 0) return [`${says}; reconciliation found no duplicate`, 'unknown']
  return [`${says}; reconciliation found ${plural(confirmed.cases, 'duplicate')}`, 'warn']
}

function moneyPart({ confirmed, atRisk, suspected }: ExecutiveFigures): string {
  const refunded = confirmed?.refunded ?? []
  const open = (confirmed?.open ?? 0) + suspected.effects
  const risk =
    atRisk.length > 0
      ? `${formatMoneyList(atRisk)} at risk`
      : open > 0
        ? `${plural(open, 'duplicate')} of unknown worth at risk`
        : 'nothing at risk'
  return refunded.length === 0 ? risk : `${formatMoneyList(refunded)} refunded, ${risk}`
}

function coverage({ days, measuredDays, effects }: ExecutiveFigures): string {
  if (effects.rate === null || measuredDays >= days) return ''
  return ` Measured on ${countText(measuredDays)} of ${plural(days, 'day')}.`
}
