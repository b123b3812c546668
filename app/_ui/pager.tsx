import { plural } from '@/lib/core/format-figure'
import { buttonClass } from './button'
import { QueryLink } from './page-link'

/** Pages by key: the next one begins where this one ends, whatever arrived meanwhile. */
export function Pager({
  shown,
  noun,
  cursor,
  next,
}: {
  shown: number
  noun: string
  /** Null = this is the first page. */
  cursor: string | null
  /** Null = this is the last page. */
  next: string | null
}) {
  if (cursor === null && next === null) return null
  return (
    <nav aria-label="Pages of the list" className="flex items-center gap-2 px-4 py-2">
      <p className="mr-auto text-ink-2 text-s">
        {plural(shown, noun)} on this page{next === null ? ', the last one' : ''}
      </p>
      {cursor !== null && (
        <QueryLink set={{ cursor: null }} className={buttonClass('quiet')}>
          First page
        </QueryLink>
      )}
      {next !== null && (
        <QueryLink set={{ cursor: next }} className={buttonClass()} rel="next">
          Next page
        </QueryLink>
      )}
    </nav>
  )
}
