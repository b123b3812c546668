import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { csvText } from '@/lib/core/csv'
import { type KeyFilter, type KeyView, listKeys } from './list-keys'

export const EXPORT_ROWS_MAX = 10_000
const PAGE = 1_000

export type KeyExport = { text: string; rows: number; truncated: boolean }

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

/** Keys as a file, the last changed first, at most 10,000. That somebody took them is audited before they are given out. */
export async function exportKeys(
  ctx: Context,
  filter: KeyFilter,
  format: 'csv' | 'json',
): Promise<KeyExport> {
  authorise(ctx, 'view')
  const items: KeyView[] = []
  let cursor: string | undefined
  do {
    const page = await listKeys(ctx, filter, {
      limit: Math.min(PAGE, EXPORT_ROWS_MAX - items.length),
      cursor,
    })
    items.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined && items.length < EXPORT_ROWS_MAX)
  const truncated = cursor !== undefined
  await ctx.db.prisma.auditEntry.create({
    data: auditRow(ctx, {
      verb: 'keys.export',
      subject: 'keys',
      outcome: 'done',
      after: { format, rows: items.length, truncated, filter },
    }),
  })
  const text =
    format === 'json' ? JSON.stringify({ items, truncated }, null, 2) : csvText(HEADER, items.map(line))
  return { text, rows: items.length, truncated }
}

/** With its offset, so that a spreadsheet cannot take it for local time. */
const offset = (at: string | null): string | null => at?.replace('Z', '+00:00') ?? null

const line = (key: KeyView) => [
  key.id,
  key.source,
  key.scope,
  key.key,
  key.state,
  key.attempts,
  key.status,
  key.reference,
  offset(key.createdAt),
  offset(key.expiresAt),
]
