import type { Context } from '@/lib/context'
import { type AuditInput, auditRow } from '@/lib/core/audit-entry'
import type { Tx } from '@/lib/db'

/** Writes an entry in the verb's own transaction: what happened and its trace commit or fail together. */
export async function append(
  tx: Tx,
  ctx: Pick<Context, 'actor' | 'clock' | 'requestId'>,
  input: AuditInput,
): Promise<void> {
  await tx.auditEntry.create({ data: auditRow(ctx, input) })
}
