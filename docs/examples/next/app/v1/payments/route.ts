import { createPayment, prepare } from '../../../../payments'

// Once for each process, at its first request.
const ready = prepare()

export async function POST(request: Request): Promise<Response> {
  await ready
  return createPayment(request)
}
