import { Prng } from '../prng'
import { articles } from '../service/messaging/stock'
import type { Client } from './client'
import { paymentBody, paymentsRoute } from './faults/stage'
import type { Operation, OperationKind } from './operation'

export interface Everyday {
  readonly operation: Operation
  readonly client: Client
  wait(delayMs: number): Promise<void>
}

/** A shop captures when the parcel leaves, and refunds when it comes back; here within moments. */
const captureDelayMs = 400
const refundDelayMs = 800

/** What clients do all day: all of it must end without a finding. */
export const operations: Readonly<Record<OperationKind, (everyday: Everyday) => Promise<void>>> = {
  async create({ operation, client }) {
    const body = { ...paymentBody(operation), ...orderOf(operation) }
    await client.pay(paymentsRoute, body, { key: operation.keys[0] })
  },
  quick: pay('/v1/quick-payments'),
  express: pay('/v1/express-payments'),
  legacy: pay('/v1/legacy-payments'),

  async capture({ operation, client, wait }) {
    const body = { ...paymentBody(operation), captureMethod: 'manual' }
    const authorised = await client.pay(paymentsRoute, body, { key: operation.keys[0] })
    await wait(captureDelayMs)
    await client.capture(authorised.id, { key: operation.keys[1] })
  },

  async refund({ operation, client, wait }) {
    const paid = await client.pay(paymentsRoute, paymentBody(operation), { key: operation.keys[0] })
    await wait(refundDelayMs)
    await client.refund(paid.id, refundBody(operation), { key: operation.keys[1] })
  },

  async read({ operation, client }) {
    const paid = await client.pay(paymentsRoute, paymentBody(operation), { key: operation.keys[0] })
    await client.read(paid.id)
  },

  async 'lost-response'({ operation, client }) {
    await client.pay(paymentsRoute, paymentBody(operation), {
      key: operation.keys[0],
      first: { fault: 'drop-response' },
    })
  },
}

function pay(route: string) {
  return async ({ operation, client }: Everyday): Promise<void> => {
    await client.pay(route, paymentBody(operation), { key: operation.keys[0] })
  }
}

/** Share of payments that are for goods; so few that the demo stays light. */
const goodsShare = 0.08

/** Goods to ship and who gets a receipt, drawn by themselves: what else is random about an operation stays as it was. */
function orderOf({ seed, customer }: Operation) {
  const prng = new Prng(`${seed}/order`)
  if (prng.next() >= goodsShare) return {}
  const sku = articles[prng.int(0, articles.length - 1)]
  return { goods: { sku, quantity: prng.int(1, 5) }, email: `${customer}@example.com` }
}

/** Every second refund is in part: a third of the amount, ending in 0 as three-decimal currencies need. */
function refundBody({ index, amountMinor }: Operation): { amountMinor?: string } {
  if (index % 2 === 0) return {}
  return { amountMinor: String((BigInt(amountMinor) / 30n) * 10n) }
}
