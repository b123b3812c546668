import { plural } from '@/lib/core/format-figure'
import { PageLink } from './page-link'
import { ShortId } from './short-id'

export type Failed = { id: string; why: string; href?: string; retryable: boolean }

/** Each one that was not done, and why; those that another try may end otherwise stay selected. */
export function Failures({ failed, noun }: { failed: readonly Failed[]; noun: string }) {
  if (failed.length === 0) return null
  const retryable = failed.filter((each) => each.retryable).length
  return (
    <>
      <ul className="mt-1.5 max-h-48 overflow-y-auto rounded-m border border-line bg-surface">
        {failed.map(({ id, why, href }) => (
          <li key={id} className="flex flex-wrap gap-x-3 border-line border-b px-3 py-1.5 last:border-b-0">
            {href === undefined ? (
              <ShortId id={id} />
            ) : (
              <PageLink href={href} look="link">
                <ShortId id={id} />
              </PageLink>
            )}
            <span className="text-ink-2">{why}</span>
          </li>
        ))}
      </ul>
      <p className="mt-1 text-ink-2 text-s">
        {retryable === 0
          ? 'None of these would end otherwise if tried again as they are.'
          : `${plural(retryable, noun)} may be tried again and stay selected.`}
      </p>
    </>
  )
}
