import type { Context } from '@/lib/context'
import { type AuditFilter, type AuditView, listAudit } from '../list'
import { type ExportedRows, type ExportFormat, exportRows, withOffset } from './export-rows'

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

/** Entries as a file, newest first; times are UTC with their offset. The entry that records it is not among them. */
export const exportAudit = (ctx: Context, filter: AuditFilter, format: ExportFormat): Promise<ExportedRows> =>
  exportRows(ctx, { name: 'audit', header: HEADER, line }, { format, filter }, (page) =>
    listAudit(ctx.db, filter, page),
  )

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

const line = (entry: AuditView) => [
  entry.id,
  withOffset(entry.at),
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
