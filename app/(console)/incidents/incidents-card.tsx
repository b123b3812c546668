import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { FacetChip } from '@/app/_ui/facet-chips'
import { ListTable } from '@/app/_ui/list-table'
import { moneyListText } from '@/app/_ui/money-text'
import { type Column, RowLink, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { durationText, plural } from '@/lib/core/format-figure'
import { INCIDENT_SEVERITIES, INCIDENT_STATUS_LABEL, INCIDENT_STATUS_NAMES } from '@/lib/core/incident-states'
import type { MoneyAtRisk } from '@/lib/incidents/money-at-risk'
import { IncidentSeverityBadge, StatusBadge } from './badges'
import { writeIncidents } from './query'
import type { IncidentRow, IncidentsData } from './read-page'

const UNFILTERED = { status: null, severity: null, system: null, cursor: null }

/** What is not closed first, the newest first. */
export function IncidentsCard({ rows, next, query, systems, evaluated }: IncidentsData) {
  const filtered = [query.status, query.severity, query.system].some((value) => value !== null)
  return (
    <Card id="incidents" title="Incidents" aside="open first, newest first">
      <ListTable
        caption="Incidents, those that are not closed first"
        columns={COLUMNS}
        rows={rows}
        id={({ id }) => id}
        view={writeIncidents(query)}
        toolbar={
          <>
            <FacetChip
              name="status"
              label="Status"
              chosen={query.status}
              values={INCIDENT_STATUS_NAMES.map((value) => ({ value, label: INCIDENT_STATUS_LABEL[value] }))}
            />
            <FacetChip
              name="severity"
              label="Severity"
              chosen={query.severity}
              values={INCIDENT_SEVERITIES.map((value) => ({ value, label: value.toUpperCase() }))}
            />
            <FacetChip name="system" label="System" chosen={query.system} values={systems} />
          </>
        }
        empty={
          filtered ? (
            <EmptyState kind="filtered" title="No incident matches" clear={UNFILTERED} />
          ) : (
            <NoIncident evaluated={evaluated} />
          )
        }
        pages={{ noun: 'incident', cursor: query.cursor, next }}
      />
    </Card>
  )
}

function NoIncident({ evaluated }: { evaluated: boolean }) {
  return evaluated ? (
    <EmptyState kind="none" title="No incident yet">
      The first alert that pages opens one.
    </EmptyState>
  ) : (
    <EmptyState kind="waiting" title="No incident was opened, and none opens by itself yet">
      An alert that pages opens one, and alerts are not evaluated: no service sends telemetry and no source is
      connected.
    </EmptyState>
  )
}

const COLUMNS: Column<IncidentRow>[] = [
  {
    head: 'Incident',
    className: 'w-full max-w-0',
    names: true,
    cell: ({ id, title, system, area, alerts }) => (
      <TwoLines
        below={`${system ?? (area === 'console' ? 'the console itself' : 'no system is known')} · ${plural(alerts.count, 'alert')}, ${alerts.firing} firing`}
      >
        <RowLink to={`/incidents/${id}`} className="truncate font-medium">
          {title}
        </RowLink>
      </TwoLines>
    ),
  },
  { head: 'Status', nowrap: true, cell: ({ status }) => <StatusBadge status={status} /> },
  {
    head: 'Severity',
    nowrap: true,
    from: 'md',
    cell: ({ severity, status }) => (
      <IncidentSeverityBadge severity={severity} closed={status === 'closed'} />
    ),
  },
  { head: 'Age', nowrap: true, cell: (row) => <Age row={row} /> },
  { head: 'Money at risk', nowrap: true, from: 'md', cell: (row) => <AtRisk row={row} /> },
  {
    head: 'Commander',
    nowrap: true,
    from: 'lg',
    cell: ({ commander }) => commander ?? <span className="text-ink-2">nobody</span>,
  },
]

/** Of one that is closed: how long it was open. */
function Age({ row: { openedAt, closedAt } }: { row: IncidentRow }) {
  return (
    <TwoLines below={<Time at={openedAt} />}>
      {closedAt === null ? (
        <Time at={openedAt} kind="age" />
      ) : (
        durationText(Date.parse(closedAt) - Date.parse(openedAt))
      )}
    </TwoLines>
  )
}

function AtRisk({ row: { status, money } }: { row: IncidentRow }) {
  if (status === 'closed') return <span className="text-ink-2">closed</span>
  if (money.amounts === null) return <span className="text-ink-2">not known</span>
  return <span>{atRiskText(money)}</span>
}

export const atRiskText = ({ amounts, more }: MoneyAtRisk): string =>
  `${more ? 'at least ' : ''}${moneyListText(amounts ?? []) || 'none'}`
