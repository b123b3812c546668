import { z } from 'zod'
import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import type { Db } from '@/lib/db'

const KEY = 'trace_link'
const TRACE = '{traceId}'
const SPAN = '{spanId}'

const valueSchema = z.object({ template: z.string() })

/** Where another tool shows a trace; null = none was set. */
export async function readTraceLink(db: Db): Promise<string | null> {
  const row = await db.prisma.setting.findUnique({ where: { key: KEY } })
  return row === null ? null : valueSchema.parse(row.value).template || null
}

/** https only, with the place of the trace's id. The console itself never opens it: the reader's browser does. */
export const templateSchema = z
  .string()
  .trim()
  .max(500)
  .refine((text) => text === '' || isTemplate(text), `an https:// address that contains ${TRACE}`)

function isTemplate(text: string): boolean {
  if (!text.includes(TRACE)) return false
  const address = fill(text, '0'.repeat(32), '0'.repeat(16))
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  return url.protocol === 'https:' && url.username === '' && url.password === ''
}

const HEX = /^[0-9a-f]+$/

const fill = (template: string, traceId: string, spanId: string): string =>
  template.replaceAll(TRACE, traceId).replaceAll(SPAN, spanId)

/** The address of one trace; null where no template was set. */
export const traceLink = (template: string | null, traceId: string, spanId = ''): string | null =>
  template === null || !HEX.test(traceId) ? null : fill(template, traceId, HEX.test(spanId) ? spanId : '')

const inputSchema = z.object({ template: templateSchema, reason: reasonSchema })

/** An empty template takes the link away. Audited. */
export async function setTraceLink(ctx: Context, raw: z.input<typeof inputSchema>): Promise<void> {
  authorise(ctx, 'source.manage')
  const parsed = inputSchema.safeParse(raw)
  if (!parsed.success) {
    throw new AppError(
      'invalid',
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    )
  }
  const { template, reason } = parsed.data
  const now = ctx.clock.now()
  const by = ctx.actor.kind === 'user' ? ctx.actor.name : ctx.actor.job
  await ctx.db.prisma.$transaction(async (tx) => {
    const before = await tx.setting.findUnique({ where: { key: KEY } })
    await tx.setting.upsert({
      where: { key: KEY },
      create: { key: KEY, value: { template }, updatedAt: now, updatedBy: by },
      update: { value: { template }, version: { increment: 1 }, updatedAt: now, updatedBy: by },
    })
    await tx.auditEntry.create({
      data: auditRow(ctx, {
        verb: 'setting.trace_link',
        subject: KEY,
        outcome: 'done',
        reason,
        before: before?.value ?? { template: '' },
        after: { template },
      }),
    })
  })
}
