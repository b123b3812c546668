import { X } from 'lucide-react'
import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { CopyButton } from '@/app/_ui/copy-button'
import { Facts } from '@/app/_ui/facts'
import { JsonBlock } from '@/app/_ui/json-block'
import { PageLink, QueryLink } from '@/app/_ui/page-link'
import { ShortId } from '@/app/_ui/short-id'
import { Time } from '@/app/_ui/time'
import type { AuditView } from '@/lib/audit/list'

/** One entry whole: who, why, before, after, and its seal. */
export function EntryCard({ entry }: { entry: AuditView }) {
  const href = subjectHref(entry.subject)
  return (
    <Card
      id="entry"
      title={entry.verb}
      aside={
        <QueryLink
          set={{ open: null }}
          scroll={false}
          aria-label="Close the entry"
          className="-my-2 -mr-2 grid size-8 place-items-center rounded-m hover:bg-sunken max-md:size-11"
        >
          <X size={15} aria-hidden="true" />
        </QueryLink>
      }
    >
      <div className="grid gap-3 px-4 pb-4">
        <Facts
          facts={[
            { label: 'When', value: <Time at={entry.at} kind="seconds" /> },
            { label: 'Who', value: `${entry.actor}, ${entry.via}` },
            {
              label: 'To what',
              value:
                href === null ? (
                  <ShortId id={entry.subject} />
                ) : (
                  <PageLink href={href} look="link">
                    <ShortId id={entry.subject} />
                  </PageLink>
                ),
            },
            { label: 'Outcome', value: <Badge tone={outcomeTone(entry.outcome)}>{entry.outcome}</Badge> },
            { label: 'Request', value: entry.requestId === null ? 'none' : <ShortId id={entry.requestId} /> },
            {
              label: 'Seal',
              value:
                entry.seal === null ? (
                  'within seconds'
                ) : (
                  <ShortId id={`${entry.seal.seq} ${entry.seal.hash}`} />
                ),
            },
          ]}
        />
        {entry.reason !== null && <p className="border-line-strong border-l-2 pl-3">“{entry.reason}”</p>}
        {entry.before !== null && <JsonBlock title="Before" value={entry.before} />}
        {entry.after !== null && <JsonBlock title="After" value={entry.after} />}
        <div className="-ml-3">
          <CopyButton text={JSON.stringify(entry, null, 2)} label="Copy as JSON" />
        </div>
      </div>
    </Card>
  )
}

/** Outcomes are words of the verbs that wrote them. */
export function outcomeTone(outcome: string): BadgeTone {
  if (['refused', 'failed', 'rejected', 'on'].includes(outcome)) return 'bad'
  if (['unknown', 'proposed', 'requested', 'intent'].includes(outcome)) return 'warn'
  return outcome === 'done' ? 'ok' : 'plain'
}

/** The page of what an entry is about, where there is one. */
function subjectHref(subject: string): string | null {
  if (subject.startsWith('case_')) return `/reconciliation/cases/${subject}`
  if (subject.startsWith('run_')) return `/reconciliation/runs/${subject}`
  if (subject.startsWith('sil_')) return '/alerts#silences'
  if (subject.startsWith('rcv_')) return '/alerts#receivers'
  return null
}
