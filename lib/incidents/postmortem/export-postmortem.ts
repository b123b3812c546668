import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { toJsonObject } from '@/lib/core/json-value'
import { redactJson } from '@/lib/core/redact-json'
import { readPostmortem } from './read-postmortem'
import { toMarkdown } from './to-markdown'

export const POSTMORTEM_FORMATS = ['markdown', 'json'] as const
export type PostmortemFormat = (typeof POSTMORTEM_FORMATS)[number]

const FILE = {
  markdown: { extension: 'md', contentType: 'text/markdown; charset=utf-8' },
  json: { extension: 'json', contentType: 'application/json' },
} as const

/** The postmortem as a file. Taking it is audited. Throws `not_found`. */
export async function exportPostmortem(
  ctx: Context,
  id: string,
  format: PostmortemFormat,
): Promise<{ name: string; contentType: string; chunks: AsyncIterable<string> }> {
  authorise(ctx, 'view')
  const postmortem = await readPostmortem(ctx, id)
  const text =
    format === 'json' ? JSON.stringify(redactJson(toJsonObject(postmortem)), null, 2) : toMarkdown(postmortem)
  await ctx.db.prisma.auditEntry.create({
    data: auditRow(ctx, { verb: 'incident.export', subject: id, outcome: 'done', after: { format } }),
  })
  const { extension, contentType } = FILE[format]
  return { name: `postmortem-${id}.${extension}`, contentType, chunks: once(text) }
}

async function* once(text: string): AsyncIterable<string> {
  yield text
}
