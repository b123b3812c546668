import { refusedByProvider } from '../provider'
import type { PaymentContext, Service } from '../service'
import { chargeResult, createCharge, settlePayment } from './charge'
import { parsePaymentRequest } from './payment-request'

/** Creates and confirms a payment. The provider's key follows from ours, so no attempt charges twice. */
export function createPayment(service: Service) {
  return async (request: Request, ctx: PaymentContext): Promise<Response> => {
    const body = await parsePaymentRequest(request)
    if (body instanceof Response) return body
    await service.points.reach(request, 'before-effect')
    const made = await ctx.effect(
      'charge',
      { name: 'stripe.charge', isFailure: refusedByProvider },
      async ({ idempotencyKey }) => {
        const charged = await createCharge(service.stripe, ctx, body, idempotencyKey)
        await service.points.reach(request, 'before-settle')
        return {
          reference: charged.charge,
          amountMinor: body.amountMinor,
          currency: body.currency,
          result: { ...charged },
        }
      },
    )
    await service.points.reach(request, 'after-effect')
    return settlePayment(service, request, ctx, body, chargeResult.parse(made.result))
  }
}
