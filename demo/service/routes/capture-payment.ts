import { json, problem } from '../answers'
import { publishPaid } from '../messaging/publish'
import { findOrderLine, findPayment, markCaptured, presentPayment } from '../payments'
import { refusedByProvider } from '../provider'
import type { PaymentContext, Service } from '../service'
import { bookPayment } from './charge'

/** Captures an authorised payment in full, and books it. */
export function capturePayment(service: Service) {
  return async (request: Request, ctx: PaymentContext, id: string): Promise<Response> => {
    const payment = await findPayment(service.pool, id)
    if (payment === undefined) return problem(404, 'No such payment')
    await service.points.reach(request, 'before-effect')
    await ctx.effect(
      'capture',
      { name: 'stripe.capture', isFailure: refusedByProvider },
      async ({ idempotencyKey }) => {
        await service.stripe.paymentIntents.capture(payment.paymentIntentId, {}, { idempotencyKey })
        return { reference: payment.chargeId, amountMinor: payment.amountMinor, currency: payment.currency }
      },
    )
    await service.points.reach(request, 'after-effect')
    return service.transact(ctx, async (tx) => {
      if (await markCaptured(tx, payment.id)) {
        await bookPayment(service, request, tx, payment)
        await publishPaid(tx, request, payment, { goods: await findOrderLine(tx, payment.id) })
      }
      return json(200, presentPayment({ ...payment, status: 'succeeded' }))
    })
  }
}
