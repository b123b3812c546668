import { Card } from '@/app/_ui/card'
import { ShortId } from '@/app/_ui/short-id'
import { type Column, figureColumn, RowLink, Table, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { type Names, nameIn } from '@/lib/core/names'
import { formatKeyId } from '@/lib/keys/key-id'
import type { CollectionCounts } from '@/lib/retention/collection-counts'

const SHOWN = 50

/** Keys past their retention that never ended: a collection never takes them. */
export function UnfinishedCard({ counts, names }: { counts: CollectionCounts; names: Names }) {
  const { unfinished, reapedUnfinished } = counts
  const shown = unfinished.slice(0, SHOWN)
  return (
    <Card
      id="unfinished"
      title="Unfinished keys, kept"
      aside={
        shown.length < reapedUnfinished ? `${shown.length} of ${reapedUnfinished}` : `all ${shown.length}`
      }
    >
      <Table columns={columnsOf(names)} rows={shown} id={({ scope, key }) => `${scope} ${key}`} />
    </Card>
  )
}

const columnsOf = (names: Names): Column<CollectionCounts['unfinished'][number]>[] => [
  {
    head: 'Key',
    cell: ({ source, scope, key }) => (
      <TwoLines below={`${scope} · ${nameIn(names, source)}`}>
        <RowLink to={`/keys/${formatKeyId({ sourceId: source, scope, key })}`}>
          <ShortId id={key} />
        </RowLink>
      </TwoLines>
    ),
  },
  { head: 'State', cell: ({ state }) => state.replaceAll('_', ' ') },
  figureColumn('Age', ({ createdAt }) => <Time at={createdAt} kind="age" />),
]
