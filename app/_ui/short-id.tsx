import { shortId } from './identifier'

/** An id, shortened for the eye; whole in its title and for those who listen. */
export function ShortId({ id, className }: { id: string; className?: string }) {
  return (
    <span title={id} className={`font-mono text-s ${className ?? ''}`}>
      <span aria-hidden="true">{shortId(id)}</span>
      <span className="sr-only">{id}</span>
    </span>
  )
}
