import { buttonClass } from '@/app/_ui/button'
import { EmptyState } from '@/app/_ui/empty-state'
import { PageHeader } from '@/app/_ui/page-header'
import { PageLink } from '@/app/_ui/page-link'

export default function KeyNotFound() {
  return (
    <div className="grid gap-3">
      <PageHeader title="There is no such key" />
      <section className="rounded-m border border-line bg-surface shadow-card">
        <EmptyState kind="none" title="No store and no trace has a key under this id">
          <p className="mb-3">It may have been collected after its expiry, or the link is cut off.</p>
          <PageLink href="/keys" className={buttonClass()}>
            Search all keys
          </PageLink>
        </EmptyState>
      </section>
    </div>
  )
}
