import { Card } from '@/app/_ui/card'
import { type Figure, Figures } from '@/app/_ui/figures'
import { bytesText } from '@/app/_ui/format-bytes'
import { countText, durationText, latencyText, percentText, plural } from '@/lib/core/format-figure'
import type { Executive } from '@/lib/insight/executive/executive'
import { costText } from '@/lib/retention/price'

/** How often, how long, how dear: one figure each, and what it is measured against. */
export function FiguresCard({ executive }: { executive: Executive }) {
  const { effects, confirmed, incidents } = executive
  const figures: Figure[] = [
    {
      name: 'Happened twice',
      value: effects.rate === null ? null : countText(effects.duplicates),
      note:
        effects.rate === null
          ? 'no side effect was told'
          : `${percentText(effects.rate)} % of ${countText(effects.committed)} side effects`,
      tone:
        effects.rate === null || effects.duplicates === 0
          ? undefined
          : effects.rate >= effects.target
            ? 'bad'
            : 'warn',
    },
    {
      name: 'Confirmed duplicates',
      value: confirmed === null ? null : countText(confirmed.cases),
      empty: 'Not compared',
      note: confirmed === null ? 'no run has compared' : `${countText(confirmed.open)} open`,
    },
    {
      name: 'Incidents',
      value: incidents === null ? null : countText(incidents.incidents),
      note: incidents === null ? 'nothing was watched' : `${countText(incidents.open)} not closed`,
    },
    { name: 'Storage a month', ...storageFigure(executive) },
    {
      name: 'Duplicate: time to detect',
      ...median(confirmed?.detectMs ?? null, 'from the effect to its case'),
    },
    {
      name: 'Duplicate: time to mend',
      ...median(
        confirmed?.mendMs ?? null,
        confirmed === null ? 'nothing was compared' : `of ${plural(confirmed.resolved, 'case')} that closed`,
      ),
    },
    {
      name: 'Incident: time to detect',
      ...median(incidents?.detectMs ?? null, 'from the first fact to the alert'),
    },
    {
      name: 'Incident: time to acknowledge',
      ...median(incidents?.acknowledgeMs ?? null, 'from the alert'),
    },
    {
      name: 'Incident: time to mitigate',
      ...median(incidents?.mitigateMs ?? null, 'from the alert'),
    },
  ]
  return (
    <Card id="figures" title="The period in figures" aside="times are medians">
      <Figures figures={figures} />
    </Card>
  )
}

const median = (ms: number | null, note: string): Omit<Figure, 'name'> => ({
  value: ms === null ? null : ms < 60_000 ? latencyText(ms) : durationText(ms),
  empty: 'None measured',
  note,
})

function storageFigure({ storage: { bytes, costPerMonth, unpriced } }: Executive): Omit<Figure, 'name'> {
  if (bytes === null) return { value: null, note: 'no store was sampled today, or one has not told its size' }
  const stored = `${bytesText(bytes)} of keys`
  if (costPerMonth.length === 0) return { value: null, empty: 'No price', note: stored }
  const rest = unpriced === 0 ? '' : `; ${plural(unpriced, 'store')} without a price`
  return { value: costPerMonth.map(costText).join(' + '), note: stored + rest }
}
