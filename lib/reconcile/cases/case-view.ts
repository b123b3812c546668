import { z } from 'zod'
import { CASE_CLASS_NAMES, type CaseClass, caseClass } from '@/lib/core/case-classes'
import { moneyToJson } from '@/lib/core/money'
import type { ActionKind, CaseLifecycle, CaseTriage } from '@/lib/core/states'
import type { ReconciliationCase } from '@/prisma/generated/client'
import { notOfferedIn, whyNotOffered } from '../classify/not-offered'

const className = z.enum(CASE_CLASS_NAMES)

/** A case as the API and the console show it. */
export type CaseView = ReturnType<typeof caseView>

export function caseView(row: ReconciliationCase) {
  const name = className.parse(row.class)
  const { title } = caseClass(name)
  return {
    id: row.id,
    system: row.system,
    aspect: row.aspect,
    class: name,
    title,
    fixes: fixesOf(name, row.evidence),
    /** What the class knows and this case must not be offered, each with its reason. */
    notOffered: notOfferedIn(row.evidence),
    severity: row.severity,
    outcome: row.outcome,
    lifecycle: row.lifecycle as CaseLifecycle,
    triage: row.triage as CaseTriage,
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

const bookedSides = z.object({ sides: z.object({ ledger: z.array(z.object({ reversed: z.boolean() })) }) })
/** Where one of these was booked wrongly, that posting is reversed first. */
const REVERSED_FIRST: readonly CaseClass[] = [
  'fee_variance',
  'refund_failed',
  'refund_unsent',
  'refund_unbooked',
]

/** What the class allows and the evidence has a use for: a wrong fee is reversed first, then the right one is booked. */
function fixesOf(name: CaseClass, evidence: unknown): readonly ActionKind[] {
  const fixes = caseClass(name).fixes.filter((kind) => whyNotOffered(evidence, kind) === undefined)
  if (!REVERSED_FIRST.includes(name)) return fixes
  const { success, data } = bookedSides.safeParse(evidence)
  const isBooked = success && data.sides.ledger.some(({ reversed }) => !reversed)
  return fixes.filter((kind) => kind !== (isBooked ? 'book_fee' : 'reverse_ledger'))
}
