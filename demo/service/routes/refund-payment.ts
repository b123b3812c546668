import { z } from 'zod'
import { json, problem } from '../answers'
import { book } from '../ledger'
import { publishRefunded } from '../messaging/publish'
import { findOrderLine, findPayment, type Payment } from '../payments'
import { refusedByProvider } from '../provider'
import type { PaymentContext, Service } from '../service'
import { metadataOf, parseBody, refundRequest } from './payment-request'

const refundResult = z.object({ refund: z.string() })

/** Refunds a payment, in part or in full, and books it. */
export function refundPayment(service: Service) {
  return async (request: Request, ctx: PaymentContext, id: string): Promise<Response> => {
    const body = await parseBody(refundRequest, request)
    if (body instanceof Response) return body
    const payment = await findPayment(service.pool, id)
    if (payment === undefined) return problem(404, 'No such payment')
    const amountMinor = body.amountMinor ?? payment.amountMinor
    const made = await ctx.effect(
      'refund',
      { name: 'stripe.refund', isFailure: refusedByProvider },
      async ({ idempotencyKey }) => {
        const refund = await createRefund(service, ctx, payment, amountMinor, idempotencyKey)
        return { reference: refund, amountMinor, currency: payment.currency, result: { refund } }
      },
    )
    const { refund } = refundResult.parse(made.result)
    const answer = json(201, {
      id: refund,
      payment: payment.id,
      charge: payment.chargeId,
      amountMinor: amountMinor.toString(),
      currency: payment.currency,
      status: 'succeeded',
    })
    if (service.points.slips(request, 'skip-refund-booking')) return answer
    return service.transact(ctx, async (tx) => {
      const isNew = await book(tx, {
        kind: 'refund',
        providerRef: refund,
        chargeRef: payment.chargeId,
        reference: payment.reference,
        amountMinor,
        currency: payment.currency,
      })
      if (isNew) await publishRefunded(tx, request, payment, await findOrderLine(tx, payment.id))
      return answer
    })
  }
}

async function createRefund(
  service: Service,
  ctx: PaymentContext,
  payment: Payment,
  amountMinor: bigint,
  idempotencyKey: string,
): Promise<string> {
  const params = {
    charge: payment.chargeId,
    amount: Number(amountMinor),
    metadata: metadataOf(ctx, 'refund', payment.reference),
  }
  const refund = await service.stripe.refunds.create(params, { idempotencyKey })
  return refund.id
}
