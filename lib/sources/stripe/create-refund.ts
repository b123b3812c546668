import Stripe from 'stripe'
import { type ProviderRefundOutcome, type ProviderSource, SourceUnavailableError } from '../contracts'
import { toStripeAmount } from './amounts'
import type { Caller } from './call'
import type { StripeConfig } from './config'
import { toMetadata, toRefund } from './objects'

/**
 * One refund, sent once. A 5xx or a lost answer may still have had the effect, and the provider keeps replaying a stored
 * 5xx for its key: the outcome is unknown, never failed, and reading settles it.
 */
export async function createRefund(
  config: StripeConfig,
  writer: Stripe,
  call: Caller,
  refund: Parameters<ProviderSource['createRefund']>[0],
): Promise<ProviderRefundOutcome> {
  const params: Stripe.RefundCreateParams = {
    charge: refund.chargeId,
    amount: toStripeAmount(refund.amountMinor, refund.currency),
    metadata: toMetadata(config, refund.tags),
  }
  try {
    const made = await call(async () => {
      // Asked again before each repetition: it waited for its turn, or for as long as the provider asked for.
      const why = await refund.stopped?.()
      if (why) throw new StoppedError(why)
      return writer.refunds.create(params, { idempotencyKey: refund.idempotencyKey })
    })
    return { kind: 'done', refund: toRefund(config, made) }
  } catch (error) {
    if (error instanceof StoppedError) return { kind: 'stopped', message: error.message }
    if (error instanceof SourceUnavailableError)
      return { kind: 'unknown', message: error.message, replayed: false }
    if (error instanceof Stripe.errors.StripeError && saysNo(error)) {
      return { kind: 'refused', code: error.code ?? error.type, message: error.message }
    }
    const message = error instanceof Error ? error.message : String(error)
    return { kind: 'unknown', message, replayed: isReplayed(error) }
  }
}

class StoppedError extends Error {}

/** 409: the same key is in use right now, by an attempt whose end nobody knows. */
const saysNo = ({ statusCode }: InstanceType<typeof Stripe.errors.StripeError>): boolean =>
  statusCode !== undefined && statusCode < 500 && statusCode !== 409

/** https://docs.stripe.com/error-low-level#idempotency: the answer of an earlier request with this key, 500s included. */
const isReplayed = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeError && error.headers?.['idempotent-replayed'] === 'true'
