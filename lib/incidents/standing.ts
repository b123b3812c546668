import { verdictSentence } from '@/lib/alerts/now/verdict-sentence'
import type { Verdict } from '@/lib/core/verdict'
import type { Db } from '@/lib/db'
import type { AtRisk } from '@/lib/effects/read-at-risk'
import { readEffectTotals } from '@/lib/telemetry/read/effects/effect-totals'
import type { IncidentRange } from './range'
import type { IncidentAlert } from './read-alerts'

/** What is wrong now, in one sentence: of the alerts of this incident alone. */
export async function readVerdict(
  db: Db,
  alerts: readonly IncidentAlert[],
  range: IncidentRange,
  twice: AtRisk,
): Promise<Verdict> {
  const firing = alerts.filter(({ clearedAt }) => clearedAt === null)
  if (alerts.length === 0)
    return { tone: 'unknown', text: 'No alert belongs to it: what is wrong is what its notes say.' }
  if (firing.length === 0) return { tone: 'ok', text: 'None of its alerts fires any more.' }
  const totals = await readEffectTotals(db, range)
  return verdictSentence(firing, {
    measured: true,
    duplicateEffects: { count: twice.effects.length, of: Number(totals.committed), atRisk: twice.amounts },
    stuckLocks: { count: 0, oldestSeconds: null },
    orphans: 0,
    openCases: { p1: 0, all: 0 },
  })
}
