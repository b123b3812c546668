import { z } from 'zod'
import { isUrgent, pathIn } from '@/lib/alerts/about'
import { verdictActions } from '@/lib/alerts/now/verdict-actions'
import { type Shown, showAlert } from '@/lib/alerts/show-alert'
import { countText } from '@/lib/core/format-figure'
import { INCIDENT_STATUS_LABEL } from '@/lib/core/incident-states'
import { formatMoneyList } from '@/lib/core/money'
import { listIncidents } from '@/lib/incidents/list-incidents'
import { type IncidentWithMoney, withMoneyAtRisk } from '@/lib/incidents/money-at-risk'
import type { Item } from '../compose'
import { quote, quoteSentence } from '../quote'
import { rangeAsked, rangeInput, type ToolContext, tool } from '../tool'
import { lockItem } from './describe-lock'
import { readBrief } from './read-brief'

/** More never fit. */
const ALERTS_MAX = 20

export const incidentBrief = tool({
  name: 'incident_brief',
  title: 'Incident brief',
  description:
    'Start here. What is wrong now, in order of urgency: the verdict, money at risk, alerts that fire with their figures, the runbook of the most urgent one, stuck keys, and where to look next.',
  input: z.strictObject(rangeInput),
  async read(ctx, asked) {
    const range = rangeAsked(asked, ctx.clock.now())
    const { now, data, tone, sentences } = await readBrief(ctx, range)
    const incidents = await readOpen(ctx, now)
    const firing = data.conditions.toSorted((a, b) => Number(isUrgent(b)) - Number(isUrgent(a)))
    const shown = await Promise.all(
      firing
        .slice(0, ALERTS_MAX)
        .map((alert, place) => showAlert(ctx.db, { ...alert, clearedAt: null }, place === 0, now)),
    )
    const runbook = shown[0]?.runbook ?? null
    const path = range.pathOf('/now')
    const atRisk = formatMoneyList(data.duplicates.amounts)
    return {
      title: 'Incident brief',
      path,
      lines: [
        `${range.text}, as of ${now.toISOString()}.`,
        ...sentences.map(quoteSentence),
        `Money at risk: ${atRisk || 'none known'}. Stuck keys: ${data.locks.more ? 'at least ' : ''}${countText(data.locks.stuck)}. Open cases: ${countText(data.openCases.all)}, ${data.openCases.p1} of them P1.`,
      ],
      data: {
        ...range.said,
        verdict: sentences[0] ?? '',
        tone,
        stuckKeys: data.locks.stuck,
        openCases: data.openCases,
      },
      sections: [
        {
          name: 'incidents',
          heading: 'Incidents that are not closed',
          items: incidents.items.map((incident) => incidentItem(incident, ctx.origin)),
          uncounted: incidents.more,
          path: '/incidents',
        },
        {
          name: 'alerts',
          heading: 'What fires, pages first',
          items: shown.map((alert) => alertItem(alert, ctx.origin)),
          beyond: firing.length - shown.length,
          path: '/alerts',
        },
        {
          name: 'next',
          heading: 'Where to look',
          items: verdictActions(data).map(({ label, href }) => {
            const to = href.includes('from=') ? href : range.pathOf(href)
            return { text: `${label}: ${ctx.origin}${to}`, data: { label, path: to } }
          }),
          path,
        },
        ...(runbook === null
          ? []
          : [
              {
                name: 'runbook',
                heading: `Runbook: ${runbook.title}`,
                items: runbook.steps.map(({ head, text }) => ({
                  text: `${head} ${quote(text)}`,
                  data: { head },
                })),
                path: '/alerts',
              },
            ]),
        {
          name: 'stuck',
          heading: 'Oldest stuck keys',
          items: data.locks.stuckItems.map((lock) => lockItem(lock, ctx.origin)),
          beyond: Math.max(0, data.locks.stuck - data.locks.stuckItems.length),
          uncounted: data.locks.more,
          path: '/locks',
        },
      ],
    }
  },
})

const INCIDENTS_MAX = 5
const NOT_CLOSED = ['open', 'acknowledged', 'mitigated'] as const

async function readOpen(ctx: ToolContext, now: Date) {
  const { items, next } = await listIncidents(ctx.db, { status: NOT_CLOSED }, { limit: INCIDENTS_MAX })
  return { items: await withMoneyAtRisk(ctx.db, items, now), more: next !== null }
}

function incidentItem(incident: IncidentWithMoney, origin: string): Item {
  const { id, title, severity, status, openedAt, commander, alerts, money } = incident
  const { amounts, more } = money
  const path = `/incidents/${id}`
  const least = more ? 'at least ' : ''
  const atRisk = amounts === null ? 'not known' : `${least}${formatMoneyList(amounts) || 'none'}`
  const who = commander === null ? 'nobody commands it' : `${quote(commander)} commands it`
  return {
    text: `${severity.toUpperCase()} ${INCIDENT_STATUS_LABEL[status].toLowerCase()}: ${quote(title)}, since ${openedAt}; ${alerts.firing} of ${alerts.count} alerts fire; money at risk: ${atRisk}; ${who}. ${origin}${path}`,
    data: { id, severity, status, title, openedAt, commander, path },
  }
}

function alertItem(alert: Shown, origin: string): Item {
  const about = alert.about === null ? '' : ` of ${quote(alert.about)}`
  const behind = alert.behind === null ? '' : `; ${quote(alert.behind)}`
  const silenced = alert.silence === null ? '' : `; silenced until ${alert.silence.endsAt}`
  const path = pathIn(`/alerts?open=${alert.id}`, alert.range)
  return {
    text: `${alert.severity}: ${alert.title}${about}, since ${alert.since}: ${quote(alert.figures)}${behind}${silenced}. ${origin}${path}`,
    data: {
      id: alert.id,
      kind: alert.kind,
      severity: alert.severity,
      subject: alert.about,
      since: alert.since,
      figures: alert.figures,
      path,
    },
  }
}
