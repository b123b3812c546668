import type { UserContext } from '@/app/_server/context'
import { Card } from '@/app/_ui/card'
import { FacetChip } from '@/app/_ui/facet-chips'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { type Column, Table } from '@/app/_ui/table'
import type { KeyedRequest } from '@/lib/telemetry/read/requests/keyed-requests'
import { defaultPair } from './attempts'
import { type ComparedRow, compareFacts, comparePayload } from './compare'
import { type KeyPage, readAttributes } from './read-key'

type Props = { ctx: UserContext; page: KeyPage; a: string | null; b: string | null }

/** Two attempts side by side: what each was asked, and what became of it. */
export async function CompareCard({ ctx, page, a, b }: Props) {
  const { keyedRequests } = page.detail
  const pair = defaultPair(keyedRequests)
  if (pair === null) return null
  const left = keyedRequests.find(({ spanId }) => spanId === a) ?? pair[0]
  const right = keyedRequests.find(({ spanId }) => spanId === b) ?? pair[1]
  const [first, second] = await Promise.all([sideOf(ctx, page, left), sideOf(ctx, page, right)])
  const payload = comparePayload(first, second)
  const columns = columnsOf(keyedRequests.indexOf(left) + 1, keyedRequests.indexOf(right) + 1)
  const values = keyedRequests.map((keyedRequest, place) => ({
    value: keyedRequest.spanId,
    label: `${place + 1}, ${outcomeLook(keyedRequest.outcome).label}`,
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
      <Table {...table} columns={columns} rows={compareFacts(first, second)} />
      <h3 className="px-4 py-2 font-medium text-ink-2 text-s">
        {payload === null
          ? 'What was asked: the spans of these attempts are kept no more.'
          : payload.length === 0
            ? 'What was asked: no recorded attribute differs.'
            : 'What was asked, where it differs; secrets and card data are left out'}
      </h3>
      {payload !== null && payload.length > 0 && (
        <Table
          {...table}
          columns={columns.map((column) => ({ ...column, className: PAYLOAD_CELL }))}
          rows={payload}
        />
      )}
    </Card>
  )
}

async function sideOf(ctx: UserContext, page: KeyPage, keyedRequest: KeyedRequest) {
  const effects = page.effects.filter(({ traceIds }) => traceIds.includes(keyedRequest.traceId))
  return { keyedRequest, effects, attributes: await readAttributes(ctx, keyedRequest) }
}

const table = { id: ({ name }: ComparedRow) => name, lines: 1, className: 'table-fixed' } as const

const isFinding = ({ differs, expected }: ComparedRow) => differs && !expected
const ground = (row: ComparedRow) => (isFinding(row) ? 'break-words bg-warn-soft' : 'break-words')
const PAYLOAD_CELL = (row: ComparedRow) => `${ground(row)} font-mono text-s`

const columnsOf = (left: number, right: number): Column<ComparedRow>[] => [
  {
    head: 'Fact',
    names: true,
    width: 'w-44 max-md:w-26',
    className: (row) => `${ground(row)} text-ink-2`,
    cell: ({ name }) => name,
  },
  { head: 'Left', shown: `Attempt ${left}`, className: ground, cell: ({ a }) => a },
  { head: 'Right', shown: `Attempt ${right}`, className: ground, cell: ({ b }) => b },
  {
    head: 'Differs',
    shown: null,
    width: 'w-10 max-md:w-8 max-md:px-2',
    className: ground,
    cell: (row) => {
      const finding = isFinding(row)
      return (
        <>
          <span
            aria-hidden="true"
            className={finding ? 'font-semibold text-warn-ink' : row.differs ? 'text-ink-3' : 'text-ok-ink'}
          >
            {row.differs ? '≠' : '='}
          </span>
          <span className="sr-only">
            {finding ? 'differs' : row.differs ? 'differs, as it must' : 'the same'}
          </span>
        </>
      )
    },
  },
]
