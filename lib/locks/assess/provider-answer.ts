import { createHash } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '@/lib/core/canonical-json'
import { moneyJsonSchema } from '@/lib/core/money-json'

const objectSchema = z.object({
  source: z.string(),
  kind: z.enum(['charge', 'refund']),
  id: z.string(),
  /** The payment intent of a charge, the charge of a refund. */
  parent: z.string().nullable(),
  status: z.enum(['pending', 'succeeded', 'failed', 'canceled', 'other']),
  captured: z.boolean(),
  /** A charge that was given back whole, or whose authorisation was released. */
  undone: z.boolean().default(false),
  step: z.string().nullable(),
  reference: z.string().nullable(),
  amount: moneyJsonSchema,
  createdAt: z.string(),
})
export type AnswerObject = z.infer<typeof objectSchema>

/** Something at the provider that could be the key's effect, though nothing says whose it is. */
const candidateSchema = z.object({
  source: z.string(),
  /** `payment`: a payment intent, session or invoice that the key names, under which a charge may still come. */
  kind: z.enum(['charge', 'refund', 'payment']),
  id: z.string(),
  status: z.enum(['pending', 'succeeded', 'failed', 'canceled', 'other']),
  /** null = it could not be read. */
  amount: moneyJsonSchema.nullable(),
  createdAt: z.string(),
})
export type Candidate = z.infer<typeof candidateSchema>

/**
 * What the provider says of one key. Only `none` is a negative read: a complete listing of all the time in which the key's
 * effects can have been made, with nothing in it that could be one of them.
 */
export const providerAnswerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('not_asked') }),
  z.object({ kind: z.literal('no_provider') }),
  z.object({ kind: z.literal('none'), askedAt: z.string(), from: z.string(), to: z.string() }),
  z.object({ kind: z.literal('found'), askedAt: z.string(), objects: z.array(objectSchema) }),
  z.object({
    kind: z.literal('possible'),
    askedAt: z.string(),
    objects: z.array(candidateSchema),
    /** How many there are, when they are too many to name. */
    count: z.number(),
  }),
  z.object({ kind: z.literal('not_settled'), askedAt: z.string(), settlesAt: z.string() }),
  z.object({ kind: z.literal('unreachable'), askedAt: z.string(), error: z.string() }),
])
export type ProviderAnswer = z.infer<typeof providerAnswerSchema>

/** Equal evidence, equal digest: when it was asked is no part of it. */
export function answerDigest(answer: ProviderAnswer): string {
  return createHash('sha256')
    .update(canonicalJson([answer.kind, digested(answer)]))
    .digest('hex')
    .slice(0, 12)
}

function digested(answer: ProviderAnswer): unknown[] {
  if (answer.kind === 'found')
    return answer.objects
      .map((o) => [
        ...[o.id, o.status, o.captured, o.amount.minor, o.amount.currency],
        ...(o.undone ? ['undone'] : []),
      ])
      .sort()
  if (answer.kind === 'possible') return answer.objects.map((o) => [o.id, o.status]).sort()
  return []
}
