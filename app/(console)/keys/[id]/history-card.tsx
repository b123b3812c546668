import { Card } from '@/app/_ui/card'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import { caseTitle } from '@/lib/core/case-classes'
import { plural } from '@/lib/core/format-figure'
import { SeverityBadge } from '../../_page/severity-badge'
import type { KeyPage } from './read-key'

/** Its cases, and what people did to it. */
export function HistoryCard({ page: { detail, audit } }: { page: KeyPage }) {
  return (
    <>
      <Card
        id="cases"
        title="Cases"
        aside={plural(detail.cases.length, 'case')}
        empty={detail.cases.length === 0 && 'Reconciliation has no case for it.'}
      >
        <ul className="px-4 pb-3">
          {detail.cases.map(({ id, severity, lifecycle, class: name }) => (
            <li key={id} className="flex min-h-9 items-center gap-2 border-line border-b last:border-b-0">
              <SeverityBadge severity={severity} settled={lifecycle === 'resolved'} />
              <PageLink href={`/reconciliation/cases/${id}`} look="link" className="min-w-0 flex-1 truncate">
                {caseTitle(name)}
              </PageLink>
              <span className="text-ink-3 text-s">{lifecycle}</span>
            </li>
          ))}
        </ul>
      </Card>
      <Card
        id="audit"
        title="What was done"
        aside={audit.length === 0 ? undefined : 'from the audit'}
        empty={audit.length === 0 && 'Nobody has acted on it.'}
      >
        <ol className="px-4 pb-3">
          {audit.map((line) => (
            <li key={line.id} className="border-line border-b py-1.5 last:border-b-0">
              <span className="flex items-baseline justify-between gap-2">
                <span>
                  <b className="font-medium">{line.verb}</b> {line.outcome}
                </span>
                <span className="text-ink-3 text-s">
                  {line.actor} · <Time at={line.at} kind="seconds" />
                </span>
              </span>
              {line.reason !== null && <span className="block text-ink-2 text-s">“{line.reason}”</span>}
            </li>
          ))}
        </ol>
      </Card>
    </>
  )
}
