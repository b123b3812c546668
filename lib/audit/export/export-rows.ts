import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { csvText } from '@/lib/core/csv'
import type { Page, PageInput } from '@/lib/core/pages'

const EXPORT_ROWS_MAX = 10_000
const PAGE = 1_000

export type ExportFormat = 'csv' | 'json'
export type ExportedRows = { text: string; rows: number; truncated: boolean }
export type ExportShape<T> = {
  /** The verb is `{name}.export`. */
  name: string
  header: readonly string[]
  line: (item: T) => readonly (string | number | null)[]
}

/** A list as a file, at most 10,000 rows. That somebody took them is audited before they are given out. */
export async function exportRows<T>(
  ctx: Context,
  shape: ExportShape<T>,
  /** `leftOut`: the reading itself had to leave rows out. */
  asked: { format: ExportFormat; filter: object; leftOut?: boolean },
  readPage: (page: PageInput) => Promise<Page<T>>,
): Promise<ExportedRows> {
  authorise(ctx, 'view')
  const items: T[] = []
  let cursor: string | undefined
  do {
    const page = await readPage({ limit: Math.min(PAGE, EXPORT_ROWS_MAX - items.length), cursor })
    items.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined && items.length < EXPORT_ROWS_MAX)
  const truncated = cursor !== undefined || asked.leftOut === true
  const { format, filter } = asked
  await ctx.db.prisma.auditEntry.create({
    data: auditRow(ctx, {
      verb: `${shape.name}.export`,
      subject: shape.name,
      outcome: 'done',
      after: { format, rows: items.length, truncated, filter },
    }),
  })
  const text =
    format === 'json'
      ? JSON.stringify({ items, truncated }, null, 2)
      : csvText(shape.header, items.map(shape.line))
  return { text, rows: items.length, truncated }
}

/** A time with its offset, so that a spreadsheet cannot take it for local time. */
export const withOffset = (at: string | null): string | null => at?.replace('Z', '+00:00') ?? null
