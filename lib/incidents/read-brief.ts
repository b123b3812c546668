import type { ReadContext } from '@/lib/context'
import { readAtRisk } from '@/lib/effects/read-at-risk'
import { readAffected } from './affected'
import { readChecklist } from './checklist'
import { readIncidentWithAlerts } from './list-incidents'
import { moneyAtRisk } from './money-at-risk'
import { incidentRange } from './range'
import { readRunbook } from './runbook'
import { readVerdict } from './standing'

/** All that it takes to run an incident, as of now: the page, the API and MCP read this one. Throws `not_found`. */
export async function readBrief({ db, clock }: Pick<ReadContext, 'db' | 'clock'>, id: string) {
  const now = clock.now()
  const { incident, alerts } = await readIncidentWithAlerts(db, id)
  const range = incidentRange(incident, alerts, now)
  const twice = await readAtRisk(db, { kind: 'duplicate', ...range })
  const affected = await readAffected(db, range, incident.system, twice)
  const [verdict, money, checklist, runbook] = await Promise.all([
    readVerdict(db, alerts, range, twice),
    moneyAtRisk(incident, alerts, async () => twice),
    readChecklist({ db, now, incident, range, affected }),
    readRunbook(db, alerts, range, now),
  ])
  return { incident, alerts, range, verdict, money, affected, checklist, runbook }
}
