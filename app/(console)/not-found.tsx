import { EmptyState } from '@/app/_ui/empty-state'
import { PageHeader } from '@/app/_ui/page-header'
import { PageLink } from '@/app/_ui/page-link'

/** An id that names nothing here. The bar stays: whoever has another id pastes it there. */
export default function NothingHere() {
  return (
    <div className="grid gap-3">
      <PageHeader title="There is nothing of this id" />
      <div className="rounded-m border border-line bg-surface shadow-card">
        <EmptyState kind="none" title="It may be mistyped, or of another environment">
          What is past its retention is gone from here too; the audit keeps what was done. Nothing was
          changed.
          <p className="mt-2 flex justify-center gap-4">
            <PageLink href="/now" className="font-medium text-accent-ink hover:underline">
              Back to Now
            </PageLink>
            <PageLink href="/audit" className="font-medium text-accent-ink hover:underline">
              Search the audit
            </PageLink>
          </p>
        </EmptyState>
      </div>
    </div>
  )
}
