import type { Channel, GetMessage } from 'amqplib'
import { SourceUnavailableError } from '../../contracts'
import { ambientWaiting, type Waiting } from '../../stripe/rate-budget'
import { type Rabbit, unavailable } from './client'
import type { RabbitConfig } from './config'
import { deliveriesOf, digestOf } from './rows'

/** Another process of the console reads for so long at most. */
const LOCKED_MAX_MS = 5_000
const LOCKED_LOOK_MS = 50
/** Deliveries that are left for acting on a message, and for its consumer. */
const DELIVERIES_LEFT = 5

/**
 * Gets every message of the queue in order and gives them back, but for one that `visit` has taken out. Whoever reads holds a queue of
 * its name for itself: two readers would each not see what the other holds, and take it for gone.
 */
export function createWalk(rabbit: Rabbit, config: RabbitConfig, waiting: Waiting = ambientWaiting) {
  const { queue, readMax, deliveryLimit } = config
  const lock = `idemscope.reading.${queue}`
  let turn: Promise<unknown> = Promise.resolve()
  let delivered = 0

  async function locked<T>(work: () => Promise<T>): Promise<T> {
    const untilMs = waiting.nowMs() + LOCKED_MAX_MS
    for (;;) {
      try {
        // The queue is this connection’s until it is deleted or the connection ends.
        await rabbit.channel((channel) => channel.assertQueue(lock, { exclusive: true, durable: false }))
        break
      } catch (error) {
        const fault = unavailable(error)
        if (fault.fault !== 'overloaded' || waiting.nowMs() >= untilMs) throw fault
        await waiting.sleep(LOCKED_LOOK_MS)
      }
    }
    try {
      return await work()
    } finally {
      await rabbit.channel((channel) => channel.deleteQueue(lock)).catch(() => undefined)
    }
  }

  type Visit<T> = (message: GetMessage, nth: number, take: () => Promise<void>) => Promise<T | undefined>

  async function through<T>(channel: Channel, visit: Visit<T>): Promise<T | undefined> {
    const seen = new Map<string, number>()
    let open = true
    channel.once('close', () => {
      open = false
    })
    try {
      for (let read = 0; read < readMax; read++) {
        const message = await channel.get(queue, { noAck: false })
        if (message === false) return undefined
        delivered = Math.max(delivered, deliveriesOf(message) ?? 0)
        const digest = digestOf(message)
        const nth = seen.get(digest) ?? 0
        seen.set(digest, nth + 1)
        const found = await visit(message, nth, async () => {
          channel.ack(message)
          // Answered after the acknowledgement, so it has arrived.
          await channel.checkQueue(queue)
        })
        if (found !== undefined) return found
      }
      return undefined
    } finally {
      // A channel that broke has given them back itself.
      if (open) channel.nackAll(true)
    }
  }

  return {
    /** One after the other. `acting`: it may use the deliveries that looking leaves. */
    run<T>(visit: Visit<T>, acting = false): Promise<T | undefined> {
      const next = turn.then(async () => {
        if (deliveryLimit !== null && delivered >= deliveryLimit - (acting ? 1 : DELIVERIES_LEFT))
          throw new SourceUnavailableError(
            `Its messages were delivered ${delivered} times, each look is one more, and at ${deliveryLimit} the queue drops them: they are read no more. Take the delivery limit off the queue and set deliveryLimit to null, or settle them at the broker.`,
            { fault: 'overloaded', refused: true },
          )
        return locked(() => rabbit.channel((channel) => through(channel, visit)))
      })
      turn = next.catch(() => undefined)
      return next
    },
  }
}
