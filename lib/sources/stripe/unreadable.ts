import { z } from 'zod'
import { type ProviderUnreadable, SourceUnavailableError } from '../contracts'
import { AmountError } from './amounts'
import type { StripeConfig } from './config'
import { created, id, metadata, tagsOf } from './objects'

const REASON_LENGTH_MAX = 300

/** Whatever tells where the object belongs, as far as it can be read. */
const remnant = z.object({
  id: z.string().min(1),
  created: created.nullable().catch(null),
  payment_intent: id.nullish().catch(null),
  metadata: metadata.catch({}),
})

/** Sets an object that cannot be read apart, by its name, instead of giving up what was read beside it. */
export function readable<R, T>(
  config: StripeConfig,
  of: ProviderUnreadable['of'],
  raw: R,
  read: (raw: R) => T,
): T | ProviderUnreadable {
  try {
    return read(raw)
  } catch (error) {
    if (!(error instanceof z.ZodError || error instanceof AmountError)) throw error
    const { success, data } = remnant.safeParse(raw)
    if (!success)
      throw new SourceUnavailableError(`the provider sent a ${of} without an id`, { cause: error })
    return {
      kind: 'unreadable',
      of,
      id: data.id,
      reason: reasonOf(error).slice(0, REASON_LENGTH_MAX),
      paymentIntentId: data.payment_intent ?? null,
      createdAt: data.created,
      otherMode: false,
      ...tagsOf(config, data.metadata),
    }
  }
}

function reasonOf(error: z.ZodError | AmountError): string {
  if (error instanceof AmountError) return error.message
  const [issue] = error.issues
  return issue === undefined ? error.message : `${issue.path.join('.')}: ${issue.message}`
}
