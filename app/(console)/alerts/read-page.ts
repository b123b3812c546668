import { createLoader, createSerializer, parseAsString, parseAsStringLiteral } from 'nuqs/server'
import { listUsers } from '@/lib/access/users'
import { ALERTS, isUrgent } from '@/lib/alerts/about'
import { readAcknowledgements } from '@/lib/alerts/acknowledge/read'
import { readBurnDown } from '@/lib/alerts/burn-down'
import { listAlerts } from '@/lib/alerts/list-alerts'
import { countPages } from '@/lib/alerts/notify/count-pages'
import { DELIVERY_STATES, listDeliveries } from '@/lib/alerts/notify/list-deliveries'
import { readFailingReceivers } from '@/lib/alerts/notify/read-failing'
import { listReceivers } from '@/lib/alerts/notify/receivers'
import { readMarks } from '@/lib/alerts/now/marks'
import { BUDGETED, readObjectives } from '@/lib/alerts/objectives'
import { readFiring } from '@/lib/alerts/read-firing'
import { listRoutes } from '@/lib/alerts/routes/list'
import { type Shown, showAlert } from '@/lib/alerts/show-alert'
import { listSilences } from '@/lib/alerts/silences/list'
import { SILENCE_STATES } from '@/lib/alerts/silences/view'
import { readTerms } from '@/lib/conditions/terms'
import { CONDITION_KINDS, type ConditionKind } from '@/lib/core/condition-kinds'
import { namesOf } from '@/lib/core/names'
import type { Db } from '@/lib/db'
import { readDeploys } from '@/lib/telemetry/read/deploys'
import { staleTelemetry } from '@/lib/telemetry/read/freshness'
import type { OpenedPage } from '../_page/open-page'
import { evaluatedNow, freshnessNow } from '../_shell/reads'

// Which alert, which budget, which silences and which history are looked at, in the URL.

const parsers = {
  /** An alert, with its runbook. */
  open: parseAsString,
  objective: parseAsStringLiteral(BUDGETED).withDefault('M2'),
  silences: parseAsStringLiteral(SILENCE_STATES).withDefault('active'),
  kind: parseAsStringLiteral(CONDITION_KINDS),
  /** State of the messages that are listed. */
  sent: parseAsStringLiteral(DELIVERY_STATES),
  cursor: parseAsString,
}
const loadAlerts = createLoader(parsers)
export const writeAlerts = createSerializer(parsers)

const HISTORY_SHOWN = 20
const SILENCES_SHOWN = 50
const DELIVERIES_SHOWN = 20

/** All that the page shows, each of its cards a part of it. */
export type AlertsData = Awaited<ReturnType<typeof readAlertsPage>>

export async function readAlertsPage(opened: OpenedPage) {
  const { asked, now, range, place, forbid } = opened
  const { db } = opened.ctx
  const query = await loadAlerts(asked)
  const window = { from: range.from, to: range.to }
  const terms = await readTerms(db.pool)
  const [
    fires,
    history,
    silences,
    receivers,
    objectives,
    course,
    deploys,
    freshness,
    users,
    pages,
    evaluated,
    routes,
    deliveries,
    acknowledgedBy,
    failing,
  ] = await Promise.all([
    readFiring(db, now),
    listAlerts(db, now, query.kind === null ? {} : { kind: [query.kind] }, {
      limit: HISTORY_SHOWN,
      cursor: query.cursor ?? undefined,
    }),
    listSilences(db, now, { state: [query.silences] }, { limit: SILENCES_SHOWN }),
    listReceivers(db),
    readObjectives(db, window, now),
    readBurnDown(db, { ...window, measure: query.objective }, now),
    readDeploys(db, window),
    freshnessNow(),
    listUsers(db),
    countPages(db, range.to),
    evaluatedNow(),
    listRoutes(db),
    listDeliveries(db, query.sent === null ? {} : { state: [query.sent] }, { limit: DELIVERIES_SHOWN }),
    readAcknowledgements(db, now),
    readFailingReceivers(db, now),
  ])
  const firing = fires.toSorted((a, b) => Number(isUrgent(b)) - Number(isUrgent(a)) || rank(a) - rank(b))
  const open = query.open ?? firing[0]?.id ?? null
  const [shown, cleared, marks] = await Promise.all([
    Promise.all(firing.map((alert) => showAlert(db, { ...alert, clearedAt: null }, alert.id === open, now))),
    firing.some(({ id }) => id === open) ? null : readCleared(db, query.open, now),
    readMarks(db, window, deploys),
  ])
  return {
    ...opened,
    query,
    firing: shown,
    /** An alert that is over, to which a link led. */
    cleared,
    evaluated,
    history,
    silences,
    receivers,
    failing,
    routes,
    deliveries,
    /** Who looks after an alert, by the alert's id. */
    acknowledged: new Map(firing.map((alert) => [alert.id, acknowledgedBy(alert)])),
    /** M10; null = nobody is paged by us. */
    pages,
    objectives,
    /** Of the terms that decide the targets. */
    termsVersion: terms.version,
    course,
    marks,
    stale: staleTelemetry(freshness, range),
    silencing: {
      kinds: CONDITION_KINDS.map((kind) => ({ value: kind, label: ALERTS[kind].title })),
      environments: [...new Set(freshness.map(({ environment }) => environment))].filter(
        (name) => name !== '',
      ),
      place,
      forbidden: forbid('alert.silence'),
    },
    people: namesOf(users),
  }
}
/** The worst first, as the verdict has it. */
const rank = ({ kind }: { kind: ConditionKind }): number => CONDITION_KINDS.indexOf(kind)

async function readCleared(db: Db, id: string | null, now: Date): Promise<Shown | null> {
  if (id === null) return null
  const [alert] = (await listAlerts(db, now, { id }, { limit: 1 })).items
  return alert === undefined ? null : showAlert(db, { ...alert, silence: null, checkedAt: null }, true, now)
}
