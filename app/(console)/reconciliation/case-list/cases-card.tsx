import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { FacetChip, ViewChip } from '@/app/_ui/facet-chips'
import { PageLink } from '@/app/_ui/page-link'
import { Pager } from '@/app/_ui/pager'
import { caseTitle } from '@/lib/core/case-classes'
import type { CaseView } from '@/lib/reconcile/cases/case-view'
import { TRIAGE } from '../labels'
import {
  AGE_LABEL,
  AGES,
  type CaseQuery,
  isFiltered,
  SEVERITIES,
  SHOWN,
  type Shown,
  writeCases,
} from '../query'
import type { PageData } from '../read-page'
import { type CaseRow, CasesTable } from './cases-table'

const SHOWN_LABEL: Record<Shown, string> = {
  open: 'Open',
  snoozed: 'Snoozed',
  resolved: 'Resolved',
  all: 'All',
}

type Props = {
  data: PageData
  query: CaseQuery
  /** Why this person may not triage. */
  refusal: string | null
  place: string
}

/** The cases that are looked at, newest first. */
export function CasesCard({ data, query, refusal, place }: Props) {
  const { cases, counts, compared, names, people, matching } = data
  return (
    <Card id="cases" title="Cases" aside="newest first">
      <CasesTable
        view={writeCases(query)}
        matching={matching}
        rows={cases.items.map((found) => toRow(found, names))}
        toolbar={<Toolbar query={query} counts={counts} compared={compared} />}
        empty={<NoCase query={query} counts={counts} compared={compared} />}
        people={people}
        refusal={refusal}
        place={place}
      />
      <Pager shown={cases.items.length} noun="case" cursor={query.cursor} next={cases.next} />
    </Card>
  )
}

/** What the table shows of a case, and no more: its evidence stays on the server. */
function toRow(found: CaseView, names: ReadonlyMap<string, string>): CaseRow {
  const { id, title, class: name, severity, subject, system, amount, firstSeen, lifecycle, owner } = found
  return {
    ...{ id, title, name, severity, amount, firstSeen },
    reference: subject.reference,
    scope: subject.scope ?? system,
    key: subject.key,
    open: lifecycle !== 'resolved',
    standing: `${lifecycle}${found.outcome === 'pending' ? ', pending' : ''}`,
    owner: owner === null ? TRIAGE[found.triage] : (names.get(owner) ?? owner),
  }
}

/** Before anything was compared, a count of 0 says nothing. */
type CountedProps = { query: CaseQuery; counts: PageData['counts']; compared: boolean }

function Toolbar({ query, counts, compared }: CountedProps) {
  const counted = (count: number) => (compared || count > 0 ? count : null)
  const count = {
    open: counted(counts.open),
    snoozed: counted(counts.snoozed),
    resolved: counted(counts.resolved),
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
        values={SEVERITIES.map((value) => ({ value, count: counts.bySeverity[value] ?? null }))}
      />
      <FacetChip
        name="class"
        label="Class"
        chosen={query.class}
        values={counts.classes.map(({ class: value, open }) => ({
          value,
          label: caseTitle(value),
          count: open,
        }))}
      />
      <FacetChip
        name="age"
        label="Age"
        chosen={query.age}
        values={AGES.map((value) => ({ value, label: AGE_LABEL[value] }))}
      />
    </>
  )
}

const UNFILTERED = { class: null, severity: null, age: null, cursor: null }

function NoCase({ query, counts, compared }: CountedProps) {
  if (!compared && counts.resolved === 0) {
    return (
      <EmptyState kind="waiting" title="Nothing was compared yet">
        Cases are opened by a run over a store and a provider.{' '}
        <PageLink href="/sources" look="link">
          Connect them in Sources.
        </PageLink>
      </EmptyState>
    )
  }
  if (isFiltered(query))
    return <EmptyState kind="filtered" title="No case matches these filters" clear={UNFILTERED} />
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
