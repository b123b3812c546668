import { z } from 'zod'

/** Any identifier PostgreSQL can hold: it is resolved through the catalogue and quoted, never spliced in as given. */
const identifier = z.string().min(1).max(63)
const relation = z.strictObject({ schema: identifier, name: identifier })

export const ledgerConfigSchema = z.strictObject({
  relation,
  columns: z.strictObject({
    entryId: identifier,
    kind: identifier,
    providerRef: identifier,
    reference: identifier,
    amountMinor: identifier,
    currency: identifier,
    bookedAt: identifier,
    chargeRef: identifier.optional(),
    reversedAt: identifier.optional(),
    correctionId: identifier.optional(),
  }),
  /** Which values of the kind column mean what. Others are counted as `other`. */
  kinds: z.strictObject({
    charge: z.array(z.string()).min(1),
    refund: z.array(z.string()),
    fee: z.array(z.string()).default([]),
    dispute: z.array(z.string()).default([]),
  }),
  /** The one function of the service that carries out corrections: one jsonb parameter, jsonb back. */
  correction: relation.optional(),
  statementTimeoutMs: z.int().min(100).max(60_000).default(5_000),
  poolMax: z.int().min(1).max(10).default(3),
  /** Rows committed this much later than they were stamped are still found. */
  overlapMs: z.int().min(0).default(60_000),
})
export type LedgerConfig = z.infer<typeof ledgerConfigSchema>

const POSTING_KINDS = ['charge', 'refund', 'fee', 'dispute'] as const

/** The kinds of posting that a mapping has a value for. */
export const postingKinds = ({ kinds }: LedgerConfig) =>
  POSTING_KINDS.filter((kind) => kinds[kind].length > 0)
