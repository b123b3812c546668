import { Card } from '@/app/_ui/card'
import { PageLink } from '@/app/_ui/page-link'
import { ShortId } from '@/app/_ui/short-id'
import { cellClass, secondLineClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { formatKeyId } from '@/lib/keys/key-id'
import type { CollectionCounts } from '../../collection-counts'

const SHOWN = 50

/** Keys past their retention that never ended: a collection never takes them. */
export function UnfinishedCard({
  counts: { unfinished, reapedUnfinished },
  names,
}: {
  counts: CollectionCounts
  names: ReadonlyMap<string, string>
}) {
  const shown = unfinished.slice(0, SHOWN)
  return (
    <Card
      id="unfinished"
      title="Unfinished keys, kept"
      aside={
        shown.length < reapedUnfinished ? `${shown.length} of ${reapedUnfinished}` : `all ${shown.length}`
      }
    >
      <table className={tableClass}>
        <thead>
          <tr>
            <th scope="col" className={stillHeadClass()}>
              Key
            </th>
            <th scope="col" className={stillHeadClass()}>
              State
            </th>
            <th scope="col" className={stillHeadClass('text-right')}>
              Age
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ source, scope, key, state, createdAt }) => (
            <tr key={`${scope} ${key}`}>
              <td className={cellClass()}>
                <PageLink
                  href={`/keys/${formatKeyId({ sourceId: source, scope, key })}`}
                  className="block hover:underline"
                >
                  <ShortId id={key} />
                </PageLink>
                <span className={secondLineClass}>
                  {scope} · {names.get(source) ?? source}
                </span>
              </td>
              <td className={cellClass()}>{state.replaceAll('_', ' ')}</td>
              <td className={cellClass('text-right')}>
                <Time at={createdAt} kind="age" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  )
}
