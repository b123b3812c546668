import { type ExportedRows, type ExportFormat, exportRows, withOffset } from '@/lib/audit/export/export-rows'
import type { Context } from '@/lib/context'
import { type KeyFilter, type KeyView, listKeys } from './list-keys'

const HEADER = [
  'id',
  'source',
  'scope',
  'key',
  'state',
  'attempts',
  'http_status',
  'reference',
  'first_seen',
  'expires_at',
]

/** Keys as a file, the last changed first. */
export const exportKeys = (ctx: Context, filter: KeyFilter, format: ExportFormat): Promise<ExportedRows> =>
  exportRows(ctx, { name: 'keys', header: HEADER, line }, { format, filter }, (page) =>
    listKeys(ctx, filter, page),
  )

const line = (key: KeyView) => [
  key.id,
  key.source,
  key.scope,
  key.key,
  key.state,
  key.attempts,
  key.status,
  key.reference,
  withOffset(key.createdAt),
  withOffset(key.expiresAt),
]
