import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { bytesText } from '@/app/_ui/format-bytes'
import { countText } from '@/app/_ui/format-figure'
import { durationText } from '@/app/_ui/format-time'
import { ScrollBox } from '@/app/_ui/scroll-box'
import { Sparkline } from '@/app/_ui/sparkline'
import { cellClass, secondLineClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { TierStorage } from '@/lib/retention/storage'

const FIGURE = 'whitespace-nowrap text-right'
const HEADS = [
  { text: 'Rows' },
  { text: 'Size' },
  { text: 'Growth a day' },
  { text: 'Expired backlog' },
  { text: 'Expiry lag' },
  { text: 'Oldest kept', phone: false },
]

/** Every store by tier: how much it holds, how fast it grows, what waits to be collected and since when. */
export function TiersCard({
  tiers,
  names,
}: {
  tiers: readonly TierStorage[]
  names: ReadonlyMap<string, string>
}) {
  return (
    <Card id="tiers" title="Rows and bytes by tier" aside={tiers[0] && <SampledAt at={tiers[0].sampledAt} />}>
      {tiers.length === 0 ? (
        <EmptyState kind="waiting" title="No store was sampled in this range">
          A store that is down leaves a gap, never a zero. Widen the range to see earlier samples.
        </EmptyState>
      ) : (
        <ScrollBox label="Rows and bytes by tier, table">
          <table className={tableClass}>
            <thead>
              <tr>
                <th scope="col" className={stillHeadClass()}>
                  Store and tier
                </th>
                {HEADS.map(({ text, phone }) => (
                  <th
                    key={text}
                    scope="col"
                    className={stillHeadClass(`${FIGURE} ${phone === false ? 'max-md:hidden' : ''}`)}
                  >
                    {text}
                  </th>
                ))}
                <th scope="col" className={stillHeadClass('max-lg:hidden')}>
                  Size in the range
                </th>
              </tr>
            </thead>
            <tbody>
              {tiers.map((tier) => (
                <TierRow
                  key={`${tier.source} ${tier.tier}`}
                  tier={tier}
                  name={names.get(tier.source) ?? tier.source}
                />
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </Card>
  )
}

const SampledAt = ({ at }: { at: string }) => (
  <>
    sampled <Time at={at} kind="age" /> ago
  </>
)

function TierRow({ tier, name }: { tier: TierStorage; name: string }) {
  const unsaid = <span className="text-ink-3">not measured</span>
  return (
    <tr data-tier={tier.tier}>
      <th scope="row" className={cellClass('text-left font-normal')}>
        <span className="block font-medium">{tier.tier === '' ? 'all' : tier.tier}</span>
        <span className={secondLineClass}>{name}</span>
      </th>
      <td className={cellClass(FIGURE)}>{countText(tier.rows)}</td>
      <td className={cellClass(FIGURE)}>{bytesText(tier.bytes)}</td>
      <td className={cellClass(FIGURE)}>
        <span className="block">
          {tier.rowsADay === null ? unsaid : `${countText(Math.round(tier.rowsADay))} rows`}
        </span>
        {tier.bytesADay !== null && <span className={secondLineClass}>{bytesText(tier.bytesADay)}</span>}
      </td>
      <td className={cellClass(FIGURE)}>{countText(tier.expiredRows)}</td>
      <td className={cellClass(FIGURE)}>
        {tier.expiryLagMs === null ? (
          <span className="text-ink-3">none waits</span>
        ) : (
          durationText(tier.expiryLagMs)
        )}
      </td>
      <td className={cellClass(`${FIGURE} max-md:hidden`)}>
        {tier.oldestUnexpiredAt === null ? unsaid : <Time at={tier.oldestUnexpiredAt} kind="age" />}
      </td>
      <td className={cellClass('max-lg:hidden')}>
        <Sparkline points={tier.points.map(({ bytes }) => bytes)} stroke="var(--executed)" />
      </td>
    </tr>
  )
}
