import { moneyToJson } from '@/lib/core/money'
import type { Action } from '@/prisma/generated/client'

/** An action as the API and the console show it. */
export type ActionView = ReturnType<typeof actionView>

export function actionView(row: Action) {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    source: row.sourceId,
    caseId: row.caseId,
    runId: row.runId,
    scope: row.scope,
    key: row.key,
    provider: row.provider,
    charge: row.charge,
    amount:
      row.amountMinor === null || row.currency === null
        ? null
        : moneyToJson({ minor: row.amountMinor, currency: row.currency }),
    reason: row.reason,
    params: row.params,
    evidence: row.evidence,
    evidenceHash: row.evidenceHash,
    result: row.result,
    proposer: row.proposerId,
    approver: row.approverId,
    supersedes: row.supersedesId,
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    approvedAt: row.approvedAt?.toISOString() ?? null,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    executedAt: row.executedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}
