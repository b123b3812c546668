import type { ReactNode } from 'react'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { bytesText } from '@/app/_ui/format-bytes'
import { SearchForm } from '@/app/_ui/search-field'
import { type Column, figureColumn, Table } from '@/app/_ui/table'
import type { TimeRange } from '@/app/_ui/time-range'
import { countText, durationText, plural } from '@/lib/core/format-figure'
import { type Names, nameIn } from '@/lib/core/names'
import { nullWhenCanceled } from '@/lib/core/sql-state'
import type { Db } from '@/lib/db'
import { compareTtls, type TtlComparison, type TtlSide } from '@/lib/insight/cost/compare-ttls'
import { bytesPerRowOf, type StorageCost } from '@/lib/insight/cost/read-cost'
import { costText, readPrices } from '@/lib/retention/price'
import { type loadQuery, parseDuration } from './query'

type Props = {
  db: Db
  range: TimeRange
  query: Awaited<ReturnType<typeof loadQuery>>
  cost: StorageCost
  names: Names
}

const TTL_A = '24 h'
const TTL_B = '72 h'

/** Two TTLs, replayed on the requests of the range: what each costs, and what each lets execute again. */
export async function CompareCard({ db, range, query, cost, names }: Props) {
  const [textA, textB] = [query.ttlA ?? TTL_A, query.ttlB ?? TTL_B]
  const [ttlAMs, ttlBMs] = [parseDuration(textA), parseDuration(textB)]
  const sources = [...new Set(cost.tiers.map(({ source }) => source))]
  const source = query.source ?? sources[0] ?? null
  const fields = [
    { name: 'endpoint', label: 'Endpoint', hint: 'all endpoints', value: query.endpoint },
    { name: 'ttlA', label: 'TTL A', hint: TTL_A, value: query.ttlA },
    { name: 'ttlB', label: 'TTL B', hint: TTL_B, value: query.ttlB },
    ...(sources.length > 1
      ? [{ name: 'source', label: 'Store', hint: sources.join(', '), value: query.source }]
      : []),
  ]
  return (
    <Card
      id="compare"
      title="Two TTLs on the observed traffic"
      aside={source === null ? 'no store was sampled' : `bytes a key as in ${nameIn(names, source)}`}
    >
      <SearchForm fields={fields} verb={['Compare', 'Comparing …']} />
      {ttlAMs === null || ttlBMs === null ? (
        <EmptyState kind="filtered" title="A TTL is a number and its unit">
          Write minutes, hours or days, as in 90 min, 24 h or 7 d.
        </EmptyState>
      ) : (
        <Compared {...{ db, range, endpoint: query.endpoint ?? undefined, ttlAMs, ttlBMs, source, cost }} />
      )}
    </Card>
  )
}

async function Compared(props: {
  db: Db
  range: TimeRange
  endpoint: string | undefined
  ttlAMs: number
  ttlBMs: number
  source: string | null
  cost: StorageCost
}) {
  const { db, range, source, cost, ...asked } = props
  const comparison = await compareTtls(db, {
    ...asked,
    from: range.from,
    to: range.to,
    bytesPerRow: source === null ? null : bytesPerRowOf(cost, source),
    price: source === null ? null : ((await readPrices(db)).get(source) ?? null),
  }).catch(nullWhenCanceled)
  if (comparison === null)
    return (
      <EmptyState kind="timeout" title="The range holds too many keys to look through">
        Stopped after 20 s: choose a shorter range, or one endpoint.
      </EmptyState>
    )
  if (comparison.keys === 0)
    return <EmptyState kind="waiting" title="Not measured: no key was seen in this range" />
  return (
    <>
      <Table
        caption="Two TTLs on the observed traffic"
        scrolls="Two TTLs, table"
        columns={columnsOf(comparison)}
        rows={ROWS}
        id={({ name }) => name}
      />
      <p className="px-4 py-2 text-ink-2 text-s">
        Of {plural(comparison.keys, 'key')} seen in the range; a retry whose first request came before it is
        not seen. An execution is an upper bound of a charge: an attempt that failed charges nothing, and the
        provider may still know its key.
      </p>
    </>
  )
}

type Line = { name: string; note: string; of: (side: TtlSide, atLeast: string) => ReactNode }

const quiet = (text: string) => <span className="text-ink-3">{text}</span>

const beyond = (side: TtlSide, text: (found: NonNullable<TtlSide['beyond']>) => string): ReactNode =>
  side.beyond === null ? quiet('range too short') : text(side.beyond)

const ROWS: readonly Line[] = [
  {
    name: 'Retries beyond it',
    note: 'came that long after the first request of their key',
    of: (side, atLeast) => beyond(side, ({ retries }) => atLeast + countText(retries)),
  },
  {
    name: 'Executed twice',
    note: 'would have found no record',
    of: (side, atLeast) =>
      beyond(side, ({ executions, keys }) => `${atLeast}${countText(executions)} on ${plural(keys, 'key')}`),
  },
  {
    name: 'Keys held',
    note: 'at any time, at the rate of the range',
    of: ({ rowsHeld }) => (rowsHeld === null ? quiet('not measured') : countText(rowsHeld)),
  },
  {
    name: 'Bytes held',
    note: 'at the store’s bytes a key',
    of: ({ bytesHeld }) => (bytesHeld === null ? quiet('not measured') : bytesText(bytesHeld)),
  },
  {
    name: 'A month',
    note: 'at the price entered',
    of: ({ bytesHeld, costPerMonth }) => {
      if (costPerMonth !== null) return costText(costPerMonth)
      return quiet(bytesHeld === null ? 'not measured' : 'no price entered')
    },
  },
]

function columnsOf({ a, b, atLeast }: TtlComparison): Column<Line>[] {
  const prefix = atLeast ? '≥ ' : ''
  return [
    {
      head: 'Figure',
      names: true,
      cell: ({ name, note }) => (
        <>
          <span className="block font-medium">{name}</span>
          <span className="block text-ink-3 text-s max-md:whitespace-normal">{note}</span>
        </>
      ),
    },
    figureColumn(`A: ${durationText(a.ttlMs)}`, ({ of }) => of(a, prefix)),
    // Unlike the first even where both are asked for the same.
    figureColumn(`B: ${durationText(b.ttlMs)}`, ({ of }) => of(b, prefix)),
  ]
}
