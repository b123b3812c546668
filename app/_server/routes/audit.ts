import { z } from 'zod'
import { listAudit } from '@/lib/audit/list'
import { verifyChain } from '@/lib/audit/verify'
import { instant, pageQuery, text } from '../api/inputs'
import { get, ok } from '../api/route'
import { auditSchema, listOf } from '../api/schemas'

export const auditRoutes = [
  get({
    path: 'audit',
    tag: 'Audit',
    summary: 'Who did what, and why; newest first',
    verb: 'view',
    query: z.strictObject({
      ...pageQuery,
      verb: text.optional().describe('e.g. `lock.release`'),
      subject: text.optional().describe('The id of what it was done to'),
      actorId: text.optional(),
      outcome: text.optional(),
      from: instant.optional(),
      to: instant.optional(),
    }),
    responses: { 200: { description: 'A page of entries', schema: listOf(auditSchema) } },
    async handle(ctx, { query: { limit, cursor, ...filter } }) {
      return ok(await listAudit(ctx.db, filter, { limit, cursor }))
    },
  }),

  get({
    path: 'audit/verify',
    tag: 'Audit',
    summary: 'Recompute the chain of the audit',
    description: 'Keep `headHash` elsewhere: a chain that was cut off and sealed anew has another.',
    verb: 'audit.verify',
    responses: {
      200: {
        description: 'Whether it holds, and where it first does not',
        schema: z.object({
          ok: z.boolean(),
          sealed: z.number(),
          unsealed: z.number().describe('Committed and not chained yet'),
          headHash: z.string().nullable(),
          brokenAt: z.object({ seq: z.string(), entryId: z.string().nullable(), why: z.string() }).optional(),
        }),
      },
    },
    async handle(ctx) {
      return ok(await verifyChain(ctx.db))
    },
  }),
]
