import { randomUUID } from 'node:crypto'
import type { PaymentContext, Service } from '../service'
import { createCharge, settlePayment } from './charge'
import { parsePaymentRequest } from './payment-request'

/**
 * The faulty route: it makes a provider key for each attempt and calls the provider outside of `effect()`, so an
 * attempt that lost its lease charges again.
 */
export function createLegacyPayment(service: Service) {
  return async (request: Request, ctx: PaymentContext): Promise<Response> => {
    const body = await parsePaymentRequest(request)
    if (body instanceof Response) return body
    await service.points.reach(request, 'before-provider-call')
    const charged = await createCharge(service.stripe, ctx, body, randomUUID())
    ctx.reportEffect({
      step: 'charge',
      name: 'stripe.charge',
      kind: 'http',
      reference: charged.charge,
      amountMinor: body.amountMinor,
      currency: body.currency,
    })
    return settlePayment(service, request, ctx, body, charged)
  }
}
