import type { PoolClient } from 'pg'
import { type ConsumedMessage, type Consumer, consume } from '../../../sdk/consume'
import { faultHeader } from '../fault-points'
import type { RouteSettings } from '../routes'
import type { Service } from '../service'
import { orderEvent, receiptEvent } from './events'
import { mailRefused, sendMail } from './mail'
import { moveStock } from './stock'
import { type Topic, topics } from './topics'

/** Longer than a message's attempts take: what a dead consumer holds is dead in the outbox before it could be taken over. */
const leases = { leaseMs: 25_000, heartbeatMs: 8000, executionDeadlineMs: 8000 } as const

const bodyOf = ({ payload }: ConsumedMessage): unknown => JSON.parse(Buffer.from(payload).toString())

/** The service's consumers, on its idempotency store: each applies a message once. */
export function createConsumers(service: Service, settings: RouteSettings): readonly Consumer[] {
  const options = (topic: Topic) => ({
    ...settings,
    ...leases,
    system: 'webhook',
    topic,
    group: topics[topic].group,
    tier: topics[topic].tier.name,
  })

  const inventory = consume<PoolClient>(options('orders'), async (message, ctx) => {
    const event = orderEvent.parse(bodyOf(message))
    await ctx.transaction((tx) => moveStock(tx, message.id, message.type === 'order.refunded', event))
  })

  const mailer = (topic: Topic): Consumer =>
    consume<PoolClient>(options(topic), async (message, ctx) => {
      const receipt = receiptEvent.parse(bodyOf(message))
      const armed = { headers: new Headers({ [faultHeader]: message.headers[faultHeader] ?? '' }) }
      await service.points.reach(armed, 'before-effect')
      await ctx.effect(
        'mail',
        { name: 'mail.send', isFailure: mailRefused },
        async ({ idempotencyKey, metadata }) => {
          const reference = await sendMail(service.mail, receipt, metadata, idempotencyKey)
          if (service.points.slips(armed, 'lose-mail-answer')) throw new Error('the connection was lost')
          return { reference }
        },
      )
      await service.points.reach(armed, 'after-effect')
    })

  return [inventory, mailer('receipts'), mailer('quick-receipts')]
}
