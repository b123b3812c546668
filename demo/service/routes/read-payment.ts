import { json, problem } from '../answers'
import { findPayment, presentPayment } from '../payments'
import type { Service } from '../service'

export function readPayment(service: Service) {
  return async (_request: Request, id: string): Promise<Response> => {
    const payment = await findPayment(service.pool, id)
    return payment === undefined ? problem(404, 'No such payment') : json(200, presentPayment(payment))
  }
}
