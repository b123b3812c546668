import type { UserContext } from '@/app/_server/context'
import { Card } from '@/app/_ui/card'
import { FacetChip } from '@/app/_ui/facet-chips'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { type Column, Table } from '@/app/_ui/table'
import { latencyText } from '@/lib/core/format-figure'
import type { JsonValue } from '@/lib/core/json-value'
import { formatMoney } from '@/lib/core/money'
import { askedAttributes, defaultPair, readRequestAttributes } from '@/lib/keys/attempts'
import type { KeyEffect } from '@/lib/telemetry/read/effects/key-effects'
import type { KeyedRequest } from '@/lib/telemetry/read/requests/keyed-requests'
import type { KeyPage } from './read-key'

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

async function sideOf(ctx: UserContext, page: KeyPage, keyedRequest: KeyedRequest): Promise<Side> {
  const effects = page.effects.filter(({ traceIds }) => traceIds.includes(keyedRequest.traceId))
  return { keyedRequest, effects, attributes: await readRequestAttributes(ctx, keyedRequest) }
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

type ComparedRow = {
  name: string
  a: string
  b: string
  differs: boolean
  /** Any two attempts differ in it: no finding. */
  expected: boolean
}

type Side = {
  keyedRequest: KeyedRequest
  effects: readonly KeyEffect[]
  attributes: Record<string, JsonValue> | null
}

const NOT_MEASURED = 'not measured'

/** Two attempts, fact by fact: what the store and the service said of each. */
function compareFacts(a: Side, b: Side): ComparedRow[] {
  const rows: [name: string, of: (side: Side) => string][] = [
    ['Outcome', ({ keyedRequest }) => outcomeLook(keyedRequest.outcome).label],
    ['Payload', payloadText],
    ['Fencing token', ({ keyedRequest }) => keyedRequest.fence ?? 'none taken'],
    ['Attempt', ({ keyedRequest }) => keyedRequest.attempt?.toString() ?? NOT_MEASURED],
    ['Holder', ({ keyedRequest }) => keyedRequest.owner ?? 'none'],
    ['Instance', ({ keyedRequest }) => keyedRequest.instance],
    ['Version', ({ keyedRequest }) => `${keyedRequest.service} ${keyedRequest.version}`],
    ['HTTP status', ({ keyedRequest }) => keyedRequest.statusCode?.toString() ?? 'no answer seen'],
    ['Took', ({ keyedRequest }) => latencyText(keyedRequest.endTime.getTime() - keyedRequest.time.getTime())],
    ['Effects', effectsText],
  ]
  return rows.map(([name, of]) => ({ ...toRow(name, of(a), of(b)), expected: EXPECTED.has(name) }))
}

/** Each attempt has its own. The first one's payload is what the others are compared with. */
const EXPECTED = new Set(['Fencing token', 'Attempt', 'Holder', 'Instance', 'Took'])

/** What of the two requests themselves differs: their span attributes, redacted. Null = spans are kept no more. */
function comparePayload(a: Side, b: Side): ComparedRow[] | null {
  const [left, right] = [a.attributes, b.attributes]
  if (left === null || right === null) return null
  return askedAttributes(left, right)
    .map((name) => toRow(name, valueText(left[name]), valueText(right[name])))
    .filter(({ differs }) => differs)
}

const toRow = (name: string, a: string, b: string): ComparedRow => ({
  name,
  a,
  b,
  differs: a !== b,
  expected: false,
})

const valueText = (value: JsonValue | undefined): string =>
  value === undefined ? 'absent' : typeof value === 'string' ? value : JSON.stringify(value)

function payloadText({ keyedRequest, attributes }: Side): string {
  if (keyedRequest.outcome === 'mismatch') return 'other fingerprint than the first'
  const match = attributes?.['idempotency.fingerprint.match']
  if (match === false) return 'other fingerprint than the first'
  if (match === true || keyedRequest.firstSeen) return 'same fingerprint'
  return NOT_MEASURED
}

function effectsText({ effects }: Side): string {
  if (effects.length === 0) return 'none'
  return effects
    .map(({ effectId, step, amount }) => {
      const money = amount === null ? '' : ` ${formatMoney(amount)}`
      return `${effectId === '' ? step : effectId}${money}`
    })
    .join(', ')
}
