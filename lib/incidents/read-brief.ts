import type { ReadContext } from '@/lib/context'
import { readAffected } from './affected'
import { readChecklist } from './checklist'
import { readIncident } from './list-incidents'
import { readMoneyAtRisk } from './money-at-risk'
import { incidentRange } from './range'
import { readAlertsOf } from './read-alerts'
import { readRunbook } from './runbook'
import { readVerdict } from './standing'

/** All that it takes to run an incident, as of now: the page, the API and MCP read this one. Throws `not_found`. */
export async function readBrief({ db, clock }: Pick<ReadContext, 'db' | 'clock'>, id: string) {
  const now = clock.now()
  const [incident, alertsOf] = await Promise.all([readIncident(db, id), readAlertsOf(db, [id])])
  const alerts = alertsOf(id)
  const range = incidentRange(incident, alerts, now)
  const affected = await readAffected(db, range, incident.system)
  const [verdict, money, checklist, runbook] = await Promise.all([
    readVerdict(db, alerts, range),
    readMoneyAtRisk(db, incident, alerts, now),
    readChecklist({ db, now, incident, range, affected }),
    readRunbook(db, alerts, range, now),
  ])
  return { incident, alerts, range, verdict, money, affected, checklist, runbook }
}
