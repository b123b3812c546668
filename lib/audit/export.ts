import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { csvText } from '@/lib/core/csv'
import { type AuditFilter, type AuditView, listAudit } from './list'

export const EXPORT_ROWS_MAX = 10_000
const PAGE = 1_000

export type AuditExport = { text: string; rows: number; truncated: boolean }

const HEADER = [
  'id',
  'at',
  'actor',
  'via',
  'verb',
  'subject',
  'outcome',
  'reason',
  'before',
  'after',
  'request_id',
  'seal_seq',
  'seal_hash',
]

/**
 * Entries as a file, newest first, at most 10,000; times are UTC with their offset. That somebody took them is audited
 * before they are given out, and is not among them.
 */
export async function exportAudit(
  ctx: Context,
  filter: AuditFilter,
  format: 'csv' | 'json',
): Promise<AuditExport> {
  authorise(ctx, 'view')
  const items: AuditView[] = []
  let cursor: string | undefined
  do {
    const page = await listAudit(ctx.db, filter, {
      limit: Math.min(PAGE, EXPORT_ROWS_MAX - items.length),
      cursor,
    })
    items.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined && items.length < EXPORT_ROWS_MAX)
  const truncated = cursor !== undefined
  await ctx.db.prisma.auditEntry.create({
    data: auditRow(ctx, {
      verb: 'audit.export',
      subject: 'audit',
      outcome: 'done',
      after: { format, rows: items.length, truncated, filter },
    }),
  })
  const text =
    format === 'json' ? JSON.stringify({ items, truncated }, null, 2) : csvText(HEADER, items.map(line))
  return { text, rows: items.length, truncated }
}

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

const line = (entry: AuditView) => [
  entry.id,
  entry.at.replace('Z', '+00:00'),
  entry.actor,
  entry.via,
  entry.verb,
  entry.subject,
  entry.outcome,
  entry.reason,
  json(entry.before),
  json(entry.after),
  entry.requestId,
  entry.seal?.seq ?? null,
  entry.seal?.hash ?? null,
]
