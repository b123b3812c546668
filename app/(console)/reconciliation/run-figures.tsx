import { Figures } from '@/app/_ui/figures'
import { moneyListText } from '@/app/_ui/money-text'
import { countText } from '@/lib/core/format-figure'
import type { RunTotals } from '@/lib/reconcile/report/run-results'

/** Gross and net of a run, side by side: what was compared, what agrees, what does not, and its money. */
export function RunFigures({ totals }: { totals: RunTotals }) {
  const { gross, matched, pending, breaks, warnings, net, atRisk } = totals
  return (
    <>
      <Figures
        figures={[
          { name: 'Compared', value: countText(gross), note: 'operations, gross' },
          { name: 'Matched', value: countText(matched), note: `of ${countText(gross)}` },
          { name: 'Pending', value: countText(pending), note: 'expected, in grace' },
          {
            name: 'Breaks',
            value: countText(breaks),
            note: breaks === 0 ? 'none' : 'need a person',
            tone: breaks > 0 ? 'bad' : undefined,
          },
          { name: 'Warnings', value: countText(warnings), note: 'P3 and below' },
          { name: 'Net', value: countText(net), note: 'operations that do not agree' },
        ]}
      />
      {atRisk.length > 0 && (
        <p className="border-line border-t px-4 py-2 text-ink-2">
          In breaks: <span className="font-medium text-ink">{moneyListText(atRisk)}</span>
        </p>
      )}
    </>
  )
}
