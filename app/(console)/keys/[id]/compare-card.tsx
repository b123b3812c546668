import type { UserContext } from '@/app/_server/context'
import { Card } from '@/app/_ui/card'
import { classNames } from '@/app/_ui/class-names'
import { FacetChip } from '@/app/_ui/facet-chips'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { lineCellClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import type { Sighting } from '@/lib/telemetry/read/requests/sightings'
import { defaultPair } from './attempts'
import { type ComparedRow, compareFacts, comparePayload } from './compare'
import { type KeyPage, readAttributes } from './read-key'

type Props = { ctx: UserContext; page: KeyPage; a: string | null; b: string | null }

/** Two attempts side by side: what each was asked, and what became of it. */
export async function CompareCard({ ctx, page, a, b }: Props) {
  const { sightings } = page.detail
  const pair = defaultPair(sightings)
  if (pair === null) return null
  const left = sightings.find(({ spanId }) => spanId === a) ?? pair[0]
  const right = sightings.find(({ spanId }) => spanId === b) ?? pair[1]
  const [first, second] = await Promise.all([sideOf(ctx, page, left), sideOf(ctx, page, right)])
  const payload = comparePayload(first, second)
  const values = sightings.map((sighting, place) => ({
    value: sighting.spanId,
    label: `${place + 1}, ${outcomeLook(sighting.outcome).label}`,
    count: null,
  }))
  return (
    <Card
      id="compare"
      title="Two attempts side by side"
      aside={
        <span className="flex flex-wrap gap-2">
          <FacetChip name="a" label="Left" chosen={left.spanId} values={values} reset={[]} />
          <FacetChip name="b" label="Right" chosen={right.spanId} values={values} reset={[]} />
        </span>
      }
    >
      <div className="pb-1">
        <table className={classNames(tableClass, 'mt-1 table-fixed')}>
          <thead>
            <tr>
              <th scope="col" className={stillHeadClass('w-44 max-md:w-26')}>
                Fact
              </th>
              <th scope="col" className={stillHeadClass()}>
                Attempt {sightings.indexOf(left) + 1}
              </th>
              <th scope="col" className={stillHeadClass()}>
                Attempt {sightings.indexOf(right) + 1}
              </th>
              <th scope="col" className={stillHeadClass('w-10 max-md:w-8 max-md:px-2')}>
                <span className="sr-only">Differs</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {compareFacts(first, second).map((row) => (
              <Line key={row.name} row={row} />
            ))}
            <tr>
              <th
                scope="rowgroup"
                colSpan={4}
                className={lineCellClass('text-left font-medium text-ink-2 text-s')}
              >
                {payload === null
                  ? 'What was asked: the spans of these attempts are kept no more.'
                  : payload.length === 0
                    ? 'What was asked: no recorded attribute differs.'
                    : 'What was asked, where it differs; secrets and card data are left out'}
              </th>
            </tr>
            {payload?.map((row) => (
              <Line key={row.name} row={row} mono />
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  )
}

async function sideOf(ctx: UserContext, page: KeyPage, sighting: Sighting) {
  const effects = page.effects.filter(({ traceIds }) => traceIds.includes(sighting.traceId))
  return { sighting, effects, attributes: await readAttributes(ctx, sighting) }
}

function Line({ row, mono = false }: { row: ComparedRow; mono?: boolean }) {
  const finding = row.differs && !row.expected
  const cell = lineCellClass(classNames('break-words', finding && 'bg-warn-soft'))
  return (
    <tr>
      <th
        scope="row"
        className={classNames(cell, 'text-left font-normal', mono ? 'font-mono text-s' : 'text-ink-2')}
      >
        {row.name}
      </th>
      <td className={classNames(cell, mono && 'font-mono text-s')}>{row.a}</td>
      <td className={classNames(cell, mono && 'font-mono text-s')}>{row.b}</td>
      <td className={cell}>
        <span
          aria-hidden="true"
          className={finding ? 'font-semibold text-warn-ink' : row.differs ? 'text-ink-3' : 'text-ok-ink'}
        >
          {row.differs ? '≠' : '='}
        </span>
        <span className="sr-only">
          {finding ? 'differs' : row.differs ? 'differs, as it must' : 'the same'}
        </span>
      </td>
    </tr>
  )
}
