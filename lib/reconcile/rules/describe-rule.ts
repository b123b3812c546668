import { caseClass } from '@/lib/core/case-classes'
import { durationText, plural } from '@/lib/core/format-figure'
import { formatMoney } from '@/lib/core/money'
import type { Rule } from './rules'

/** "Amount differs · CHF · charges · web/POST /v1/payments": what a rule speaks of. */
export const criteriaText = ({ when }: Rule): string =>
  [
    when.class?.map((name) => caseClass(name).title).join(', '),
    when.currency,
    when.kind === undefined ? undefined : `${when.kind}s`,
    when.scope,
  ]
    .filter((part) => part !== undefined)
    .join(' · ')

/** What a rule tolerates, each in its unit. */
export function toleranceTexts({ when, amountMinor, percent, sameWithinMs, breakOnMs }: Rule): string[] {
  const texts: string[] = []
  if (amountMinor !== undefined)
    texts.push(
      when.currency === undefined
        ? `up to ${plural(Number(amountMinor), 'minor unit')} apart`
        : `up to ${formatMoney({ minor: amountMinor, currency: when.currency })} apart`,
    )
  if (percent !== undefined) texts.push(`up to ${percent} % apart`)
  if (breakOnMs !== undefined) texts.push(`may be missing for ${durationText(breakOnMs)}`)
  if (sameWithinMs !== undefined)
    texts.push(`charges of one order more than ${durationText(sameWithinMs)} apart are no duplicates`)
  return texts
}
