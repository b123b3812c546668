import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { FacetChip, ViewChip } from '@/app/_ui/facet-chips'
import { moneyText } from '@/app/_ui/money-text'
import { PageLink, QueryLink } from '@/app/_ui/page-link'
import { Pager } from '@/app/_ui/pager'
import { ShortId } from '@/app/_ui/short-id'
import { cellClass, headClass, secondLineClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { caseClass } from '@/lib/core/case-classes'
import type { CaseLifecycle, CaseTriage } from '@/lib/core/states'
import type { CaseView } from '@/lib/reconcile/cases/case-view'
import { CasesTable } from './cases-table'
import {
  AGE_LABEL,
  AGES,
  type CaseQuery,
  isFiltered,
  SEVERITIES,
  SHOWN,
  type Shown,
  writeCases,
} from './query'
import type { PageData } from './read-page'
import { LIFECYCLE, severityTone, TRIAGE } from './words'

const SHOWN_LABEL: Record<Shown, string> = {
  open: 'Open',
  snoozed: 'Snoozed',
  resolved: 'Resolved',
  all: 'All',
}

const HEAD = (
  <>
    <th scope="col" className={headClass()}>
      Case
    </th>
    <th scope="col" className={headClass('max-md:hidden')}>
      Reference and key
    </th>
    <th scope="col" className={headClass('text-right')}>
      Amount
    </th>
    <th scope="col" className={headClass('max-md:hidden')}>
      Standing
    </th>
    <th scope="col" className={headClass('text-right')}>
      Age
    </th>
  </>
)

type Props = {
  data: PageData
  query: CaseQuery
  /** Why this person may not triage. */
  refusal: string | null
  place: string
}

/** The cases that are looked at, newest first. */
export function CasesCard({ data, query, refusal, place }: Props) {
  const { cases, counts, names, people, matching } = data
  return (
    <Card id="cases" title="Cases" aside="newest first">
      <CasesTable
        view={writeCases(query)}
        filter={{ show: query.show, class: query.class, severity: query.severity, age: query.age }}
        matching={matching}
        head={HEAD}
        rows={cases.items.map((found) => ({
          id: found.id,
          label: `${found.title}, ${found.subject.reference ?? found.id}`,
          open: found.lifecycle !== 'resolved',
          cells: <Cells found={found} names={names} />,
        }))}
        toolbar={<Toolbar query={query} counts={counts} />}
        empty={<NoCase query={query} counts={counts} compared={data.verdict !== null} />}
        people={people}
        refusal={refusal}
        place={place}
      />
      <Pager shown={cases.items.length} noun="case" cursor={query.cursor} next={cases.next} />
    </Card>
  )
}

function Toolbar({ query, counts }: { query: CaseQuery; counts: PageData['counts'] }) {
  const count: Record<Shown, number | null> = {
    open: counts.open,
    snoozed: counts.snoozed,
    resolved: counts.resolved,
    all: null,
  }
  return (
    <>
      {SHOWN.map((show) => (
        <ViewChip
          key={show}
          set={{ show: show === 'open' ? null : show, cursor: null }}
          chosen={query.show === show}
          label={SHOWN_LABEL[show]}
          count={count[show]}
        />
      ))}
      <FacetChip
        name="severity"
        label="Severity"
        chosen={query.severity}
        values={SEVERITIES.map((value) => ({ value, label: value, count: counts.bySeverity[value] ?? null }))}
      />
      <FacetChip
        name="class"
        label="Class"
        chosen={query.class}
        values={counts.classes.map((row) => ({
          value: row.class,
          label: caseClass(row.class).title,
          count: row.open,
        }))}
      />
      <FacetChip
        name="age"
        label="Age"
        chosen={query.age}
        values={AGES.map((value) => ({ value, label: AGE_LABEL[value], count: null }))}
      />
    </>
  )
}

function NoCase({
  query,
  counts,
  compared,
}: {
  query: CaseQuery
  counts: PageData['counts']
  compared: boolean
}) {
  if (!compared && counts.resolved === 0) {
    return (
      <EmptyState kind="waiting" title="Nothing was compared yet">
        Cases are opened by a run over a store and a provider.{' '}
        <PageLink href="/sources" className="font-medium text-accent-ink hover:underline">
          Connect them in Sources.
        </PageLink>
      </EmptyState>
    )
  }
  if (isFiltered(query)) {
    return (
      <EmptyState kind="filtered" title="No case matches these filters">
        <QueryLink
          set={{ class: null, severity: null, age: null, cursor: null }}
          className="text-accent-ink underline underline-offset-2"
        >
          Clear the filters
        </QueryLink>
      </EmptyState>
    )
  }
  return (
    <EmptyState
      kind="none"
      title={
        query.show === 'open' ? 'No case is open' : `No case here: ${SHOWN_LABEL[query.show].toLowerCase()}`
      }
    >
      {query.show === 'open' && counts.resolved > 0
        ? 'What was found before is resolved.'
        : 'Nothing was found so far.'}
    </EmptyState>
  )
}

function Cells({ found, names }: { found: CaseView; names: ReadonlyMap<string, string> }) {
  const { subject, amount } = found
  const owner =
    found.owner === null ? TRIAGE[found.triage as CaseTriage] : (names.get(found.owner) ?? found.owner)
  return (
    <>
      <td className={cellClass('max-md:w-full max-md:max-w-0')}>
        <PageLink
          href={`/reconciliation/cases/${found.id}`}
          className="flex items-center gap-2 after:absolute after:inset-0 hover:underline"
        >
          <Badge tone={severityTone(found.severity)}>{found.severity}</Badge>
          <span className="min-w-0">{found.title}</span>
        </PageLink>
        <span className={`${secondLineClass} font-mono`} title={found.id}>
          {found.class}
        </span>
      </td>
      <td className={cellClass('max-md:hidden')}>
        <span className="block">
          {subject.reference === null ? (
            <span className="text-ink-3">no reference</span>
          ) : (
            <ShortId id={subject.reference} />
          )}
        </span>
        <span className={secondLineClass}>
          {subject.scope === null ? found.system : subject.scope}
          {subject.key !== null && (
            <>
              {' · '}
              <ShortId id={subject.key} />
            </>
          )}
        </span>
      </td>
      <td className={cellClass('whitespace-nowrap text-right')}>
        {amount === null ? <span className="text-ink-3">none</span> : moneyText(amount)}
      </td>
      <td className={cellClass('max-md:hidden')}>
        <span className="block">
          {LIFECYCLE[found.lifecycle as CaseLifecycle]}
          {found.outcome === 'pending' && ', pending'}
        </span>
        <span className={secondLineClass}>{owner}</span>
      </td>
      <td className={cellClass('whitespace-nowrap text-right text-ink-2')}>
        <Time at={found.firstSeen} kind="age" />
      </td>
    </>
  )
}
