import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { countText } from '@/app/_ui/format-figure'
import { moneyListText } from '@/app/_ui/money-text'
import { QueryLink } from '@/app/_ui/page-link'
import { ScrollBox } from '@/app/_ui/scroll-box'
import { cellClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { caseClass } from '@/lib/core/case-classes'
import type { CaseCounts } from '@/lib/reconcile/cases/count-cases'
import { AGE_LABEL, AGES } from './query'
import { severityTone } from './words'

const FIGURE = 'text-right whitespace-nowrap'

/** Open cases by class and age; each figure opens its list. */
export function ClassesCard({ counts }: { counts: CaseCounts }) {
  const open = counts.open + counts.snoozed
  if (counts.classes.length === 0) return null
  return (
    <Card id="classes" title="Open cases by class and age" aside={`${countText(open)} open`}>
      <ScrollBox label="Open cases by class and age, table">
        <table className={tableClass}>
          <thead>
            <tr>
              <th scope="col" className={stillHeadClass()}>
                Class
              </th>
              {AGES.map((age) => (
                <th key={age} scope="col" className={stillHeadClass(`${FIGURE}`)}>
                  {AGE_LABEL[age]}
                </th>
              ))}
              <th scope="col" className={stillHeadClass(`${FIGURE}`)}>
                All
              </th>
              <th scope="col" className={stillHeadClass(`${FIGURE} max-md:hidden`)}>
                At risk
              </th>
            </tr>
          </thead>
          <tbody>
            {counts.classes.map((row) => (
              <tr key={row.class} className="hover:bg-sunken">
                <th scope="row" className={cellClass('h-9! whitespace-nowrap text-left font-normal')}>
                  <QueryLink
                    set={{ class: row.class, age: null, severity: null, show: null, cursor: null }}
                    scroll={false}
                    className="inline-flex items-center gap-2 hover:underline"
                  >
                    <Badge tone={severityTone(row.severity)}>{row.severity}</Badge>{' '}
                    {caseClass(row.class).title}
                  </QueryLink>
                </th>
                {row.byAge.map((count, index) => (
                  <td key={AGES[index]} className={cellClass(`h-9! ${FIGURE}`)}>
                    {count === 0 ? (
                      <span className="text-ink-3">0</span>
                    ) : (
                      <QueryLink
                        set={{
                          class: row.class,
                          age: AGES[index] ?? null,
                          severity: null,
                          show: null,
                          cursor: null,
                        }}
                        scroll={false}
                        className="hover:underline"
                      >
                        {countText(count)}
                      </QueryLink>
                    )}
                  </td>
                ))}
                <td className={cellClass(`h-9! font-semibold ${FIGURE}`)}>{countText(row.open)}</td>
                <td
                  className={cellClass('h-9! max-w-72 min-w-56 text-right text-ink-2 text-s max-md:hidden')}
                >
                  {moneyListText(row.atRisk) || '–'}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Card>
  )
}
