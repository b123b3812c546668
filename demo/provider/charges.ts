import type { Draft } from './context'
import { invalid, missing } from './failures'
import type { Charge } from './objects'
import type { Outcome } from './routes'

/** A charge that succeeded fails later, as bank debits do. */
export function failCharge(draft: Draft, id: string): Outcome {
  const { charges, paymentIntents } = draft.provider.state
  const charge = charges.get(id)
  if (charge === undefined) throw missing('charge', id)
  if (charge.status === 'failed') throw invalid(`Charge ${id} has already failed.`)
  const failure = { code: 'payment_method_failed', message: 'The bank returned the payment.' }
  const failed: Charge = { ...charge, status: 'failed', captured: false, amountCaptured: 0, failure }
  draft.save(failed)
  draft.event('charge.failed', failed)
  const intent = paymentIntents.get(charge.paymentIntent)
  if (intent !== undefined) {
    const reopened = { ...intent, status: 'requires_payment_method' as const, amountReceived: 0, failure }
    draft.save(reopened)
    draft.event('payment_intent.payment_failed', reopened)
  }
  return { status: 200, object: failed }
}
