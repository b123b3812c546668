import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { moneyText } from '@/app/_ui/money-text'
import { ShortId } from '@/app/_ui/short-id'
import { type Column, TwoLines } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import type { ProviderStatus } from '@/lib/sources/contracts'
import type { KeyPage } from './read-key'

const TONE: Record<ProviderStatus, BadgeTone> = {
  succeeded: 'ok',
  pending: 'warn',
  failed: 'plain',
  canceled: 'plain',
  other: 'bad',
}

type ProviderObject = KeyPage['detail']['providerObjects'][number]
type LedgerRow = NonNullable<KeyPage['ledger']>[number]

const OBJECT_COLUMNS: Column<ProviderObject>[] = [
  {
    head: 'Object',
    cell: ({ id, kind, reference }) => (
      <TwoLines below={reference === null ? kind : `${kind} · ${reference}`}>
        <ShortId id={id} />
      </TwoLines>
    ),
  },
  { head: 'Status', cell: ({ status }) => <Badge tone={TONE[status]}>{status}</Badge> },
  {
    head: 'Amount',
    align: 'right',
    cell: ({ amount, refunded, createdAt }) => (
      <TwoLines
        below={
          <>
            {refunded !== null && refunded.minor !== '0' && `${moneyText(refunded)} refunded, `}
            <Time at={createdAt.toISOString()} kind="seconds" />
          </>
        }
      >
        {amount === null ? '—' : moneyText(amount)}
      </TwoLines>
    ),
  },
]

const LEDGER_COLUMNS: Column<LedgerRow>[] = [
  {
    head: 'Row',
    cell: ({ id, kind, reversed, providerRef, reference }) => (
      <TwoLines below={providerRef === null ? (reference ?? id) : <ShortId id={providerRef} />}>
        {kind} {reversed && <Badge tone="warn">reversed</Badge>}
      </TwoLines>
    ),
  },
  {
    head: 'Amount',
    align: 'right',
    cell: ({ amount, bookedAt }) => (
      <TwoLines below={['booked ', <Time key="at" at={bookedAt} kind="seconds" />]}>
        {amount === null ? '—' : moneyText(amount)}
      </TwoLines>
    ),
  },
]

/** What the provider and the books hold of it, as they were last read. */
export function SidesCard({ page: { detail, ledger, hasProvider } }: { page: KeyPage }) {
  const { providerObjects } = detail
  return (
    <div className="grid gap-3 lg:grid-cols-2">
      <TableCard
        id="provider"
        title="At the provider"
        aside={plural(providerObjects.length, 'object')}
        empty={hasProvider ? NO_OBJECT : NO_PROVIDER}
        columns={OBJECT_COLUMNS}
        rows={providerObjects}
        rowId={({ id }) => id}
        scrolls="Objects at the provider, table"
      />
      <TableCard
        id="ledger"
        title="In the ledger"
        aside={ledger === null ? undefined : plural(ledger.length, 'row')}
        empty={ledger === null ? NO_LEDGER : 'No row is booked for it.'}
        columns={LEDGER_COLUMNS}
        rows={ledger ?? []}
        rowId={({ id }) => id}
        scrolls="Rows of the ledger, table"
      />
    </div>
  )
}

const NO_OBJECT =
  'Nothing that was read of the provider carries this key. What was made without a key in its metadata is not shown here.'
const NO_PROVIDER = 'No provider is connected: what was made there is not known.'
const NO_LEDGER = 'No ledger is connected: what is booked is not known.'
