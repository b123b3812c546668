import { RefreshCw } from 'lucide-react'

/** "2 new, 1 ended": what has changed about the rows themselves; a press shows it. Its place is reserved. */
export function FreshPill({ fresh, left, onShow }: { fresh: number; left: number; onShow: () => void }) {
  const words = [fresh > 0 && `${fresh} new`, left > 0 && `${left} ended`].filter(Boolean).join(', ')
  return (
    <span className="ml-auto inline-flex h-7 items-center" role="status">
      {words !== '' && (
        <button
          type="button"
          onClick={onShow}
          className="inline-flex h-7 items-center gap-1.5 whitespace-nowrap rounded-full bg-accent-soft px-3 font-medium text-accent-ink text-s hover:brightness-95 max-md:h-9"
        >
          <RefreshCw size={12} aria-hidden="true" className="shrink-0" /> {words}
        </button>
      )}
    </span>
  )
}
