import { z } from 'zod'
import { exportChain } from '@/lib/audit/export/export-chain'
import { listAudit } from '@/lib/audit/list'
import { publicKeyPem, signingKeys } from '@/lib/audit/signing'
import { verifyChain } from '@/lib/audit/verify/verify'
import { instant, pageQuery, text } from '../api/inputs'
import { get, ok } from '../api/route'
import { auditSchema, listOf } from '../api/schemas'
import { services } from '../services'

const keys = () => signingKeys(services().settings.IDEMSCOPE_AUDIT_KEY)

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
    description:
      'Its last head is signed with a key that the database does not hold. Keep `headHash` elsewhere: a chain that was cut off and sealed anew has another.',
    verb: 'audit.verify',
    responses: {
      200: {
        description: 'Whether it holds, and where it first does not',
        schema: z.object({
          ok: z.boolean(),
          sealed: z.number(),
          unsealed: z.number().describe('Committed and not chained yet'),
          headHash: z.string().nullable(),
          signed: z
            .object({
              seq: z.string(),
              at: z.iso.datetime(),
              keyId: z.string(),
              signature: z.enum(['valid', 'invalid', 'unknown_key']),
            })
            .nullable()
            .describe('The last signed head; null = none was signed'),
          publicKeys: z.array(z.string()).describe('PEM; keep them elsewhere, to prove an export'),
          brokenAt: z.object({ seq: z.string(), entryId: z.string().nullable(), why: z.string() }).optional(),
        }),
      },
    },
    async handle(ctx) {
      return ok({ ...(await verifyChain(ctx.db, keys())), publicKeys: keys().map(publicKeyPem) })
    },
  }),

  get({
    path: 'audit/export',
    tag: 'Audit',
    summary: 'The chain of the audit, to be proved without this system',
    description:
      'Lines of JSON in the order of sealing, with the signed heads: `npm run verify-audit -- export.ndjson --key public.pem`. That you took it is recorded.',
    verb: 'audit.verify',
    query: z.strictObject({
      from: z.coerce.number().int().min(1).default(1).describe('The first seal; default 1'),
    }),
    responses: {
      200: {
        description: 'Lines of JSON',
        schema: z.string(),
        contentType: 'application/x-ndjson',
      },
    },
    async handle(ctx, { query }) {
      const stamp = ctx.clock.now().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
      return {
        status: 200,
        contentType: 'application/x-ndjson',
        name: `idemscope-audit-chain-${stamp}Z.ndjson`,
        chunks: await exportChain(ctx, query),
      }
    },
  }),
]
