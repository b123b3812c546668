import type Stripe from 'stripe'
import { z } from 'zod'
import { json } from '../answers'
import { book } from '../ledger'
import { publishPaid } from '../messaging/publish'
import { insertOrderLine, insertPayment, type Payment, paymentIdOf, presentPayment } from '../payments'
import { chargeIdOf } from '../provider'
import type { PaymentContext, Service } from '../service'
import { metadataOf, type PaymentRequest } from './payment-request'

/** What a charge leaves behind, and what a later attempt gets back when an earlier one made the charge. */
export const chargeResult = z.object({ charge: z.string(), paymentIntent: z.string() })
export type ChargeResult = z.infer<typeof chargeResult>

export async function createCharge(
  stripe: Stripe,
  ctx: PaymentContext,
  body: PaymentRequest,
  idempotencyKey: string,
): Promise<ChargeResult> {
  const intent = await stripe.paymentIntents.create(
    {
      amount: Number(body.amountMinor),
      currency: body.currency.toLowerCase(),
      confirm: true,
      payment_method: 'pm_card_visa',
      capture_method: body.captureMethod,
      customer: body.customer,
      metadata: metadataOf(ctx, 'charge', body.reference),
    },
    { idempotencyKey },
  )
  return { charge: chargeIdOf(intent), paymentIntent: intent.id }
}

/** Saves the payment and books it, in one transaction. What an earlier attempt has saved is answered as it is. */
export function settlePayment(
  service: Service,
  request: Request,
  ctx: PaymentContext,
  body: PaymentRequest,
  made: ChargeResult,
): Promise<Response> {
  const payment: Payment = {
    id: paymentIdOf(made.charge),
    reference: body.reference,
    customer: body.customer,
    amountMinor: body.amountMinor,
    currency: body.currency,
    status: body.captureMethod === 'manual' ? 'requires_capture' : 'succeeded',
    chargeId: made.charge,
    paymentIntentId: made.paymentIntent,
  }
  if (service.points.slips(request, 'lose-ledger')) return settleWithoutLedger(service, payment)
  return service.transact(ctx, async (tx) => {
    if (!(await insertPayment(tx, payment))) return json(201, presentPayment(payment))
    if (payment.status === 'succeeded') await bookPayment(service, request, tx, payment)
    if (body.goods !== undefined) await insertOrderLine(tx, payment.id, body.goods)
    // Of an order that is only authorised the capture tells.
    if (payment.status === 'succeeded') await publishPaid(tx, request, payment, body)
    await service.points.reach(request, 'before-commit')
    return json(201, presentPayment(payment))
  })
}

export async function bookPayment(
  service: Service,
  request: Request,
  tx: Parameters<typeof book>[0],
  payment: Payment,
): Promise<void> {
  // The slip books ten units too much: near enough to look right, and no power of ten.
  const overchargeMinor = service.points.slips(request, 'wrong-amount') ? 10n : 0n
  await book(tx, {
    kind: 'charge',
    providerRef: payment.chargeId,
    chargeRef: payment.chargeId,
    reference: payment.reference,
    amountMinor: payment.amountMinor + overchargeMinor,
    currency: payment.currency,
  })
}

/** The fault of a service that books in a transaction of its own, and lost it. */
async function settleWithoutLedger(service: Service, payment: Payment): Promise<Response> {
  await insertPayment(service.pool, payment)
  return json(201, presentPayment(payment))
}
