import { z } from 'zod'
import { CASE_CLASS_NAMES, caseClass } from '@/lib/core/case-classes'
import { moneyToJson } from '@/lib/core/money'
import type { ReconciliationCase } from '@/prisma/generated/client'

const className = z.enum(CASE_CLASS_NAMES)

/** A case as the API and the console show it. */
export type CaseView = ReturnType<typeof caseView>

export function caseView(row: ReconciliationCase) {
  const name = className.parse(row.class)
  const { title, fixes } = caseClass(name)
  return {
    id: row.id,
    system: row.system,
    aspect: row.aspect,
    class: name,
    title,
    fixes,
    severity: row.severity,
    outcome: row.outcome,
    lifecycle: row.lifecycle,
    triage: row.triage,
    owner: row.ownerId,
    snoozedUntil: row.snoozedUntil?.toISOString() ?? null,
    subject: { scope: row.scope, key: row.key, effectIds: row.effectIds, reference: row.reference },
    amount:
      row.amountMinor === null || row.currency === null
        ? null
        : moneyToJson({ minor: row.amountMinor, currency: row.currency }),
    evidence: row.evidence,
    evidenceHash: row.evidenceHash,
    version: row.version,
    firstSeen: row.firstSeen.toISOString(),
    lastSeen: row.lastSeen.toISOString(),
    breakOn: row.breakOn?.toISOString() ?? null,
    resolvedAt: row.resolvedAt?.toISOString() ?? null,
    resolution: row.resolution,
  }
}
