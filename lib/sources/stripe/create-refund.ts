import Stripe from 'stripe'
import { type ProviderRefundOutcome, type ProviderSource, SourceUnavailableError } from '../contracts'
import { toStripeAmount } from './amounts'
import type { Caller } from './call'
import type { StripeConfig } from './config'
import { toMetadata, toRefund } from './objects'

/**
 * One refund. It may be repeated, since the idempotency key is the action's id; a 5xx or a lost answer may still have
 * had the effect, so after the last attempt the outcome is unknown, never failed.
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
    const made = await call(() => writer.refunds.create(params, { idempotencyKey: refund.idempotencyKey }))
    return { kind: 'done', refund: toRefund(config, made) }
  } catch (error) {
    if (error instanceof SourceUnavailableError) return { kind: 'unknown', message: error.message }
    // 409: the same key is in use right now, by an attempt whose end nobody knows.
    if (
      error instanceof Stripe.errors.StripeError &&
      error.statusCode !== undefined &&
      error.statusCode !== 409
    ) {
      return { kind: 'refused', code: error.code ?? error.type, message: error.message }
    }
    return { kind: 'unknown', message: error instanceof Error ? error.message : String(error) }
  }
}
