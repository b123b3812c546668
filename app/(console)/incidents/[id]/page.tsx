import type { Metadata } from 'next'
import { createLoader, parseAsString, parseAsStringLiteral } from 'nuqs/server'
import { CardFrame } from '@/app/_ui/card'
import { type Figure, Figures } from '@/app/_ui/figures'
import { Time } from '@/app/_ui/time'
import { pathIn } from '@/lib/alerts/about'
import { withMoments } from '@/lib/alerts/now/verdict'
import { durationText, plural } from '@/lib/core/format-figure'
import { INCIDENT_SEVERITY_MEANING } from '@/lib/core/incident-states'
import { type IncidentRange, rangeText } from '@/lib/incidents/range'
import { readBrief } from '@/lib/incidents/read-brief'
import { EVENT_SOURCES, PEOPLES_EVENTS } from '@/lib/incidents/timeline/event'
import { readGaps, readTimeline } from '@/lib/incidents/timeline/read-timeline'
import type { IncidentView } from '@/lib/incidents/view'
import { missing, openPage, type PageProps } from '../../_page/open-page'
import { BesideEachOther, Page } from '../../_page/page-frame'
import { RunbookSteps } from '../../_page/runbook-steps'
import { VerdictCard } from '../../now/verdict-card'
import { IncidentSeverityBadge, StatusBadge } from '../badges'
import { atRiskText } from '../incidents-card'
import { AffectedCard } from './affected-card'
import { ChecklistCard } from './checklist-card'
import { RolesCard } from './roles-card'
import { RunBar } from './run-bar'
import { AlertsOfIncident, MoneyCard, PostmortemCard } from './side-cards'
import { TimelineCard } from './timeline-card'

export const metadata: Metadata = { title: 'Incident' }

const EVENTS_SHOWN = 50
const load = createLoader({
  cursor: parseAsString,
  events: parseAsStringLiteral(['all'] as const),
})

export default async function IncidentPage(props: PageProps<{ id: string }>) {
  const { id } = await props.params
  const { ctx, asked, me, place, forbid } = await openPage(`/incidents/${id}`, props)
  const { cursor, events } = await load(asked)
  const brief = await readBrief(ctx, id).catch(missing)
  const { incident, alerts, range, verdict, money, affected, checklist, runbook } = brief
  const [timeline, gaps] = await Promise.all([
    readTimeline(ctx.db, { incidentId: id, system: incident.system, alerts }, range, {
      limit: EVENTS_SHOWN,
      cursor: cursor ?? undefined,
      sources: events === null ? PEOPLES_EVENTS : EVENT_SOURCES,
    }),
    readGaps(ctx.db, range),
  ])
  const forbidden = forbid('incident.manage')
  const { severity, status } = incident
  return (
    <Page
      title={incident.title}
      path={[{ label: 'Incidents', href: '/incidents' }, { id }]}
      beside={
        <>
          <IncidentSeverityBadge severity={severity} closed={status === 'closed'} />
          <StatusBadge status={status} />
        </>
      }
      summary={<Standing incident={incident} />}
      actions={<RunBar incident={runBarFacts(incident)} place={place} forbidden={forbidden} />}
    >
      <VerdictCard
        verdict={{
          tone: verdict.tone,
          lead: withMoments(verdict.text),
          rest: [],
          about: [[moneyNow(brief)]],
        }}
        actions={status === 'closed' ? [] : nextSteps(range, affected.items[0]?.endpoint)}
        dryRun={{ ...isoRange(range), forbidden: forbid('run.start') }}
      />
      <CardFrame label="Figures">
        <Figures figures={figuresOfIncident(incident)} />
      </CardFrame>
      <BesideEachOther
        side={
          <>
            <RolesCard incident={incident} me={me} forbidden={forbidden} />
            <MoneyCard money={money} />
            <AlertsOfIncident alerts={alerts} />
            <PostmortemCard incident={incident} />
          </>
        }
      >
        <ChecklistCard questions={checklist} pathOf={(path) => inRange(path, range)} />
        {runbook !== null && <RunbookSteps runbook={runbook} />}
        <TimelineCard page={timeline} all={events !== null} cursor={cursor} gaps={gaps} />
        <AffectedCard affected={affected} />
      </BesideEachOther>
    </Page>
  )
}

function moneyNow({ incident, money }: Awaited<ReturnType<typeof readBrief>>): string {
  if (incident.status === 'closed') return 'It is closed: what became of the money is in the postmortem.'
  return `Money at risk now: ${money.amounts === null ? 'not known' : atRiskText(money)}.`
}

const runBarFacts = ({ id, revision, status, severity, alerts, commander }: IncidentView) => ({
  ...{ id, revision, status, severity, alerts, commander },
})

const isoRange = ({ from, to }: IncidentRange) => ({ from: from.toISOString(), to: to.toISOString() })

/** A place on this page has no range of its own. */
const inRange = (path: string, range: IncidentRange): string =>
  path.startsWith('#') ? path : pathIn(path, rangeText(range))

/** Stop it where it moves most money, look at it without changing anything, propose what mends it. */
const nextSteps = (range: IncidentRange, route = '') => [
  { label: 'Hold a route', href: `/holds?${new URLSearchParams({ place: 'route', route })}` },
  { label: 'Open the cases', href: pathIn('/reconciliation', rangeText(range)) },
]

function Standing({ incident }: { incident: IncidentView }) {
  const { severity, openedAt, openedBy, acknowledgedBy, commander, system } = incident
  return (
    <p>
      Opened <Time at={openedAt} /> by {openedBy ?? 'an alert'} · {system ?? 'no system is known'} ·{' '}
      {acknowledgedBy === null ? 'nobody has acknowledged it' : `acknowledged by ${acknowledgedBy}`} ·{' '}
      {commander === null ? 'nobody commands' : `${commander} commands`} ·{' '}
      {INCIDENT_SEVERITY_MEANING[severity]}
    </p>
  )
}

function figuresOfIncident(incident: IncidentView): Figure[] {
  const { times, openedAt, closedAt, alerts, commander, roles } = incident
  const notDone = closedAt === null ? 'Not yet' : 'Not known'
  const took = (ms: number | null) => (ms === null ? null : durationText(ms))
  return [
    {
      name: 'Commander',
      value: commander,
      empty: 'Nobody',
      note: `${plural(roles.length, 'role')} taken`,
    },
    {
      name: 'Alerts firing',
      value: String(alerts.firing),
      note: `of ${alerts.count}`,
      tone: alerts.firing > 0 ? 'warn' : undefined,
    },
    {
      name: 'Open',
      value:
        closedAt === null ? (
          <Time at={openedAt} kind="age" />
        ) : (
          took(Date.parse(closedAt) - Date.parse(openedAt))
        ),
      note: closedAt === null ? 'since it was opened' : 'until it was closed',
    },
    {
      name: 'To detect',
      value: took(times.detectMs),
      empty: 'Not known',
      note: 'from the first fact to the alert',
    },
    { name: 'To acknowledge', value: took(times.acknowledgeMs), empty: notDone, note: 'from the alert' },
    { name: 'To mitigate', value: took(times.mitigateMs), empty: notDone, note: 'from the alert' },
  ]
}
